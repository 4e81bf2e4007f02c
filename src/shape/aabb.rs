//! Axis-aligned boxes, f64.

use glam::{DAffine3, DVec3};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An axis-aligned box, metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aabb {
    /// Least corner.
    pub min: DVec3,
    /// Greatest corner.
    pub max: DVec3,
}

impl Aabb {
    /// The box around some points; none when there are none.
    pub fn around(points: impl IntoIterator<Item = DVec3>) -> Option<Self> {
        points.into_iter().map(|p| Self { min: p, max: p }).reduce(Self::union)
    }

    /// The box around two boxes.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }

    /// The box around this box after `transform`.
    #[must_use]
    pub fn transformed(self, transform: &DAffine3) -> Self {
        let corners = self.corners().map(|c| transform.transform_point3(c));
        let (min, max) = corners.iter().fold((corners[0], corners[0]), |(lo, hi), c| (lo.min(*c), hi.max(*c)));
        Self { min, max }
    }

    /// The eight corners.
    pub fn corners(self) -> [DVec3; 8] {
        std::array::from_fn(|i| {
            DVec3::new(
                if i & 1 == 0 { self.min.x } else { self.max.x },
                if i & 2 == 0 { self.min.y } else { self.max.y },
                if i & 4 == 0 { self.min.z } else { self.max.z },
            )
        })
    }

    /// The middle.
    pub fn centre(self) -> DVec3 {
        (self.min + self.max) * 0.5
    }

    /// Its extent along each axis, metres.
    pub fn size(self) -> DVec3 {
        self.max - self.min
    }

    /// Half its diagonal, metres.
    pub fn radius(self) -> f64 {
        self.size().length() * 0.5
    }
}

impl Serialize for Aabb {
    /// `[[x,y,z],[x,y,z]]`, as the command line's contract has it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.min.to_array(), self.max.to_array()].serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Aabb {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let [min, max] = <[[f64; 3]; 2]>::deserialize(deserializer)?;
        Ok(Self { min: DVec3::from_array(min), max: DVec3::from_array(max) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_box_is_boxed_again() {
        let unit = Aabb { min: DVec3::ZERO, max: DVec3::ONE };
        let turned = unit.transformed(&DAffine3::from_rotation_z(std::f64::consts::FRAC_PI_4));
        let half = std::f64::consts::FRAC_1_SQRT_2;
        assert!((turned.min.x + half).abs() < 1e-12 && (turned.max.x - half).abs() < 1e-12);
        assert!((turned.size().z - 1.0).abs() < 1e-12);
        assert_eq!(Aabb::around([]), None);
    }
}
