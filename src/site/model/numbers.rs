//! How places and placements are written with serde: plain numbers.

/// A placement: three columns of its matrix, then its translation.
pub(super) mod affine {
    use glam::DAffine3;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::site::model) fn serialize<S: Serializer>(placement: &DAffine3, to: S) -> Result<S::Ok, S::Error> {
        placement.to_cols_array().serialize(to)
    }

    pub(in crate::site::model) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<DAffine3, D::Error> {
        Ok(DAffine3::from_cols_array(&<[f64; 12]>::deserialize(from)?))
    }
}

/// A place, or a direction.
pub(super) mod vector {
    use glam::DVec3;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::site::model) fn serialize<S: Serializer>(vector: &DVec3, to: S) -> Result<S::Ok, S::Error> {
        vector.to_array().serialize(to)
    }

    pub(in crate::site::model) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<DVec3, D::Error> {
        Ok(DVec3::from_array(<[f64; 3]>::deserialize(from)?))
    }
}

/// A place that may not be known.
pub(super) mod place {
    use glam::DVec3;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::site::model) fn serialize<S: Serializer>(place: &Option<DVec3>, to: S) -> Result<S::Ok, S::Error> {
        place.map(|p| p.to_array()).serialize(to)
    }

    pub(in crate::site::model) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<DVec3>, D::Error> {
        Ok(Option::<[f64; 3]>::deserialize(from)?.map(DVec3::from_array))
    }
}
