//! What things are made of: a few solids in an element's own frame (metres), and how they look.

use glam::{DVec3, dvec3};

/// A cross-section of a duct, pipe or bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Section {
    /// Width (horizontal; along X when the run is vertical) and height (along Y when it is vertical), metres.
    Rect {
        /// Horizontal extent.
        w: f64,
        /// Vertical extent.
        h: f64,
    },
    /// Outer diameter, metres.
    Round {
        /// Outer diameter.
        d: f64,
    },
}

impl Section {
    /// Extent along `axis`, which is square to the run's direction.
    pub fn extent(self, dir: DVec3, axis: DVec3) -> f64 {
        match self {
            Self::Round { d } => d,
            Self::Rect { w, h } if dir.z.abs() > 0.5 => {
                if axis.x.abs() > 0.5 {
                    w
                } else {
                    h
                }
            }
            Self::Rect { w, h } => {
                if axis.z.abs() > 0.5 {
                    h
                } else {
                    w
                }
            }
        }
    }

    /// The same duct after a bend from `dir` to `to`.
    pub fn turned(self, dir: DVec3, to: DVec3) -> Self {
        match self {
            Self::Round { .. } => self,
            Self::Rect { .. } => {
                let normal = dir.cross(to);
                let (across, along) = (self.extent(dir, normal), self.extent(dir, to));
                let normal_is_height = if to.z.abs() > 0.5 { normal.y.abs() > 0.5 } else { normal.z.abs() > 0.5 };
                if normal_is_height { Self::Rect { w: along, h: across } } else { Self::Rect { w: across, h: along } }
            }
        }
    }

    /// Area, m².
    pub fn area(self) -> f64 {
        match self {
            Self::Rect { w, h } => w * h,
            Self::Round { d } => std::f64::consts::PI * d * d / 4.0,
        }
    }

    /// Girth, metres.
    pub fn girth(self) -> f64 {
        match self {
            Self::Rect { w, h } => 2.0 * (w + h),
            Self::Round { d } => std::f64::consts::PI * d,
        }
    }

    /// `700x400` or `Ø250`, millimetres.
    pub fn label(self) -> String {
        match self {
            Self::Rect { w, h } => format!("{:.0}x{:.0}", w * 1000.0, h * 1000.0),
            Self::Round { d } => format!("{:.0}", d * 1000.0),
        }
    }
}

/// The axis that a section's width lies on for a run along `dir`.
pub fn side(dir: DVec3) -> DVec3 {
    if dir.z.abs() > 0.5 { DVec3::X } else { DVec3::Z.cross(dir) }
}

/// One solid in an element's own frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Solid {
    /// A profile pushed along `axis` from `at`; `x` is where the profile's first dimension points.
    Extrude {
        /// First and second dimension of the profile (equal: still a rectangle).
        profile: Profile,
        /// Centre of the profile's start.
        at: DVec3,
        /// Direction.
        axis: DVec3,
        /// First profile axis.
        x: DVec3,
        /// Length.
        length: f64,
    },
    /// A profile turned by a quarter from +Z towards +X, starting at the origin, on a radius.
    Bend {
        /// First dimension towards +X.
        profile: Profile,
        /// Radius of the centre line.
        radius: f64,
    },
    /// A closed skin of triangles.
    Skin {
        /// Corners.
        points: Vec<DVec3>,
        /// Corner numbers from 0, outside counter-clockwise.
        triangles: Vec<[usize; 3]>,
    },
}

/// A flat outline, centred.
#[derive(Clone, Debug, PartialEq)]
pub enum Profile {
    /// Two sides.
    Rect(f64, f64),
    /// Radius.
    Circle(f64),
    /// Outer radius and wall thickness.
    Tube(f64, f64),
    /// A closed outline, corner after corner, not centred.
    Outline(Vec<[f64; 2]>),
}

/// A solid and its colour.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its form.
    pub solid: Solid,
    /// Its surface.
    pub look: Look,
}

/// A surface: colour and how much light passes, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Name of the surface style.
    pub name: &'static str,
    /// Red, green, blue, 0 to 1.
    pub rgb: [f64; 3],
    /// 0 opaque to 1 clear.
    pub clear: f64,
}

/// An opaque look.
pub const fn look(name: &'static str, r: f64, g: f64, b: f64) -> Look {
    Look { name, rgb: [r, g, b], clear: 0.0 }
}

/// A box between two corners.
pub fn block(min: [f64; 3], max: [f64; 3], look: Look) -> Part {
    let (a, b) = (DVec3::from_array(min), DVec3::from_array(max));
    let size = b - a;
    Part {
        solid: Solid::Extrude {
            profile: Profile::Rect(size.x, size.y),
            at: dvec3(0.5 * (a.x + b.x), 0.5 * (a.y + b.y), a.z),
            axis: DVec3::Z,
            x: DVec3::X,
            length: size.z,
        },
        look,
    }
}

/// Sides of what is round but small: enough to look round, few enough to draw thousands of.
const SIDES: usize = 12;
/// Radius below which a bar is drawn with [`SIDES`] sides, metres.
const SMALL: f64 = 0.09;

fn ring(radius: f64) -> Vec<[f64; 2]> {
    (0..SIDES)
        .map(|i| {
            let (sin, cos) = (std::f64::consts::TAU * i as f64 / SIDES as f64).sin_cos();
            [radius * cos, radius * sin]
        })
        .collect()
}

/// A round bar from `at` along `axis`.
pub fn rod(at: [f64; 3], axis: DVec3, radius: f64, length: f64, look: Look) -> Part {
    let x = if axis.z.abs() > 0.5 { DVec3::X } else { DVec3::Z };
    let profile = if radius < SMALL { Profile::Outline(ring(radius)) } else { Profile::Circle(radius) };
    Part { solid: Solid::Extrude { profile, at: DVec3::from_array(at), axis, x, length }, look }
}

/// A quarter bend from +Z towards +X: a swept profile, or a skin of few triangles where the pipe is small.
pub fn elbow(section: Section, dir: DVec3, to: DVec3, radius: f64, look: Look) -> Part {
    match section {
        Section::Round { d } if d < 2.0 * SMALL => Part { solid: small_elbow(0.5 * d, radius), look },
        _ => Part { solid: Solid::Bend { profile: profile(section, dir, to), radius }, look },
    }
}

fn small_elbow(r: f64, radius: f64) -> Solid {
    const STEPS: usize = 5;
    let outline = ring(r);
    let mut points = Vec::new();
    for step in 0..=STEPS {
        let (sin, cos) = (std::f64::consts::FRAC_PI_2 * step as f64 / STEPS as f64).sin_cos();
        // The ring's first axis points to the bend's inside.
        points.extend(outline.iter().map(|[a, b]| dvec3(radius - (radius - a) * cos, *b, (radius - a) * sin)));
    }
    let mut triangles = Vec::new();
    for step in 0..STEPS {
        for i in 0..SIDES {
            let (a, b) = (step * SIDES + i, step * SIDES + (i + 1) % SIDES);
            triangles.push([a, b, b + SIDES]);
            triangles.push([a, b + SIDES, a + SIDES]);
        }
    }
    let last = STEPS * SIDES;
    for i in 1..SIDES - 1 {
        triangles.push([0, i + 1, i]);
        triangles.push([last, last + i, last + i + 1]);
    }
    Solid::Skin { points, triangles }
}

/// A ring or tube from `at` along `axis`.
pub fn tube(at: [f64; 3], axis: DVec3, radius: f64, wall: f64, length: f64, look: Look) -> Part {
    let x = if axis.z.abs() > 0.5 { DVec3::X } else { DVec3::Z };
    Part {
        solid: Solid::Extrude { profile: Profile::Tube(radius, wall), at: DVec3::from_array(at), axis, x, length },
        look,
    }
}

/// A run's straight piece along local Z, its width along local X.
pub fn straight(section: Section, dir: DVec3, length: f64, look: Look) -> Part {
    Part {
        solid: Solid::Extrude {
            profile: profile(section, dir, side(dir)),
            at: DVec3::ZERO,
            axis: DVec3::Z,
            x: DVec3::X,
            length,
        },
        look,
    }
}

/// The outline of a section with its first dimension along the world axis `first`.
pub fn profile(section: Section, dir: DVec3, first: DVec3) -> Profile {
    match section {
        Section::Round { d } => Profile::Circle(0.5 * d),
        Section::Rect { .. } => Profile::Rect(section.extent(dir, first), section.extent(dir, dir.cross(first))),
    }
}

/// A frustum between two rectangles along Z: (w0, h0) at 0, (w1, h1) at `length`.
pub fn frustum(a: [f64; 2], b: [f64; 2], length: f64, look: Look) -> Part {
    let ring = |s: [f64; 2], z: f64| {
        [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)].map(|(x, y)| dvec3(x * s[0], y * s[1], z))
    };
    let points = [ring(a, 0.0), ring(b, length)].concat();
    let mut triangles = vec![[0, 2, 1], [0, 3, 2], [4, 5, 6], [4, 6, 7]];
    for i in 0..4 {
        let j = (i + 1) % 4;
        triangles.push([i, j, 4 + j]);
        triangles.push([i, 4 + j, 4 + i]);
    }
    Part { solid: Solid::Skin { points, triangles }, look }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skins_face_outwards() {
        // The volume by the divergence theorem is positive, and near that of the true body.
        let volume = |part: &Part| {
            let Solid::Skin { points, triangles } = &part.solid else { panic!("not a skin") };
            triangles.iter().map(|t| points[t[0]].dot(points[t[1]].cross(points[t[2]])) / 6.0).sum::<f64>()
        };
        let grey = look("grey", 0.5, 0.5, 0.5);
        assert!((volume(&frustum([0.4, 0.3], [0.4, 0.3], 0.5, grey)) - 0.06).abs() < 1e-9);
        let bend = elbow(Section::Round { d: 0.1 }, DVec3::Z, DVec3::X, 0.15, grey);
        let true_volume = std::f64::consts::PI * 0.05 * 0.05 * 0.15 * std::f64::consts::FRAC_PI_2;
        assert!((volume(&bend) / true_volume - 1.0).abs() < 0.08, "{} against {true_volume}", volume(&bend));
    }

    #[test]
    fn a_bend_keeps_the_duct() {
        let riser = Section::Rect { w: 0.6, h: 0.8 };
        // Down, then along -Y: X stays the width, Y becomes the height.
        assert_eq!(riser.turned(DVec3::NEG_Z, DVec3::NEG_Y), Section::Rect { w: 0.6, h: 0.8 });
        // Down, then along X: Y becomes the width, X the height.
        assert_eq!(riser.turned(DVec3::NEG_Z, DVec3::X), Section::Rect { w: 0.8, h: 0.6 });
        // Flat turns change nothing.
        assert_eq!(riser.turned(DVec3::X, DVec3::Y), riser);
        // There and back again.
        assert_eq!(riser.turned(DVec3::NEG_Z, DVec3::X).turned(DVec3::X, DVec3::Z), riser);
    }
}
