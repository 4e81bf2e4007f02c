//! The land around the clinic, `site.geojson`: plot, roads, neighbours, buried mains and trees, EPSG:2056.

use super::place::{CORNER, to_map};
use super::plan::{DEPTH, LENGTH};
use super::step::global_id;
use geo::{Area, BoundingRect, Contains, Coord, Intersects, LineString, Point, Polygon};
use geojson::{Feature, FeatureCollection, Geometry, JsonObject, JsonValue};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The file's text. Shapes are drawn in the building's frame and turned onto the map.
pub fn write(seed: u64) -> String {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x0051_7e00);
    let mut out: Vec<Feature> = Vec::new();
    let plot = rectangle([-16.0, -26.0], [64.0, 40.0]);
    let building = rectangle([0.0, 0.0], [LENGTH, DEPTH]);
    add(
        &mut out,
        seed,
        "plot",
        around(&plot, &building),
        &[
            ("kind", "plot".into()),
            ("name", "Riverside Clinic plot".into()),
            ("area_m2", round(plot.unsigned_area()).into()),
        ],
    );
    let roads = [
        ("Riverside Road", rectangle([-80.0, -36.0], [130.0, -28.0])),
        ("Mill Lane", rectangle([66.5, -28.0], [72.5, 90.0])),
        ("Clinic drive", rectangle([21.0, -28.0], [27.0, -3.0])),
    ];
    for (name, shape) in &roads {
        add(
            &mut out,
            seed,
            &format!("road/{name}"),
            surface(shape),
            &[("kind", "road".into()), ("name", (*name).into())],
        );
    }
    let car_park = rectangle([30.0, -25.0], [62.0, -10.0]);
    add(&mut out, seed, "parking", surface(&car_park), &[("kind", "parking".into()), ("name", "Visitors".into())]);
    // Neighbours stand on plots of their own; sizes and heights are drawn.
    let plots = [
        [-78.0, -20.0],
        [-78.0, 14.0],
        [-50.0, 48.0],
        [-12.0, 52.0],
        [30.0, 52.0],
        [78.0, -20.0],
        [78.0, 12.0],
        [80.0, 46.0],
        [-70.0, -70.0],
        [-26.0, -72.0],
        [18.0, -70.0],
        [66.0, -72.0],
    ];
    let mut neighbours = Vec::new();
    for (n, [x, y]) in plots.into_iter().enumerate() {
        let (w, d) = (f64::from(rng.random_range(14..=24)), f64::from(rng.random_range(12..=20)));
        let storeys = rng.random_range(2..=6);
        let mut corners = vec![[x, y], [x + w, y], [x + w, y + d], [x, y + d]];
        if n % 3 == 0 {
            // An L: a corner is cut out.
            corners = vec![
                [x, y],
                [x + w, y],
                [x + w, y + 0.5 * d],
                [x + 0.5 * w, y + 0.5 * d],
                [x + 0.5 * w, y + d],
                [x, y + d],
            ];
        }
        let shape = polygon(&corners);
        let clear = !shape.intersects(&plot) && !roads.iter().any(|(_, r)| shape.intersects(r));
        if clear && !shape.intersects(&building) {
            let height = f64::from(storeys) * 3.1 + 1.0;
            add(
                &mut out,
                seed,
                &format!("neighbour/{n}"),
                surface(&shape),
                &[
                    ("kind", "building".into()),
                    ("name", format!("Neighbour {}", n + 1).into()),
                    ("height_m", round(height).into()),
                    ("storeys", storeys.into()),
                ],
            );
            neighbours.push(shape);
        }
    }

    // Mains under the road, branches to the west shaft.
    for (name, medium, y, diameter, depth) in [
        ("District heating supply", "heating", -33.0, 0.15, 1.4),
        ("District heating return", "heating", -32.4, 0.15, 1.4),
        ("District cooling supply", "chilled-water", -31.2, 0.25, 1.8),
        ("District cooling return", "chilled-water", -30.6, 0.25, 1.8),
    ] {
        let x = 5.4 + (y + 33.0) * 0.5;
        for (part, line) in [("main", vec![[-80.0, y], [130.0, y]]), ("branch", vec![[x, y], [x, 0.0]])] {
            let size: f64 = if part == "main" { diameter } else { diameter * 0.6 };
            let line: Vec<Vec<f64>> = line.into_iter().map(mapped).collect();
            let props = [
                ("kind", "main".into()),
                ("name", format!("{name} {part}").into()),
                ("medium", medium.into()),
                ("diameter_m", round(size).into()),
                ("depth_m", depth.into()),
            ];
            add(&mut out, seed, &format!("main/{name}/{part}"), Geometry::new_line_string(line), &props);
        }
    }

    // Trees: along the road, and where there is room on the plot.
    let kinds = ["Tilia cordata", "Acer platanoides", "Betula pendula", "Quercus robur"];
    let mut places: Vec<[f64; 2]> = (0..14).map(|i| [-70.0 + 14.0 * f64::from(i), -26.6]).collect();
    for _ in 0..60 {
        places.push([f64::from(rng.random_range(-150..=630)) * 0.1, f64::from(rng.random_range(-240..=390)) * 0.1]);
    }
    let mut planted: Vec<[f64; 2]> = Vec::new();
    for [x, y] in places {
        let height = f64::from(rng.random_range(50..=130)) * 0.1;
        let kind = kinds[rng.random_range(0..kinds.len())];
        let crown = rectangle([x - 3.0, y - 3.0], [x + 3.0, y + 3.0]);
        let blocked = crown.intersects(&building)
            || roads.iter().any(|(_, r)| {
                r.contains(&Point::new(x, y)) || r.intersects(&rectangle([x - 1.0, y - 1.0], [x + 1.0, y + 1.0]))
            })
            || car_park.intersects(&crown)
            || neighbours.iter().any(|n| n.intersects(&crown))
            || planted.iter().any(|p| (p[0] - x).hypot(p[1] - y) < 5.0);
        if blocked {
            continue;
        }
        let props = [
            ("kind", "tree".into()),
            ("name", kind.into()),
            ("height_m", round(height).into()),
            ("crown_m", round(height * 0.55).into()),
        ];
        add(&mut out, seed, &format!("tree/{}", planted.len()), Geometry::new_point(mapped([x, y])), &props);
        planted.push([x, y]);
    }

    let mut crs = JsonObject::new();
    crs.insert("type".into(), "name".into());
    crs.insert("properties".into(), serde_json::json!({"name": "urn:ogc:def:crs:EPSG::2056"}));
    let mut extra = JsonObject::new();
    extra.insert("name".into(), "site".into());
    extra.insert("crs".into(), JsonValue::Object(crs));
    let bounds = all_around(&plot);
    let collection = FeatureCollection { bbox: bounds, features: out, foreign_members: Some(extra) };
    // One feature a line, so that a change can be read.
    let text = serde_json::to_string(&collection).unwrap_or_default();
    text.replace(",{\"type\":\"Feature\"", ",\n{\"type\":\"Feature\"") + "\n"
}

fn all_around(plot: &Polygon) -> Option<Vec<f64>> {
    let corners: Vec<Coord> = plot
        .exterior()
        .coords()
        .map(|c| {
            let [x, y] = to_map(c.x, c.y);
            Coord { x, y }
        })
        .collect();
    let r = LineString::new(corners).bounding_rect()?;
    Some(vec![milli(r.min().x), milli(r.min().y), milli(r.max().x), milli(r.max().y)])
}

fn polygon(corners: &[[f64; 2]]) -> Polygon {
    Polygon::new(LineString::from(corners.iter().map(|c| (c[0], c[1])).collect::<Vec<_>>()), Vec::new())
}

fn rectangle(min: [f64; 2], max: [f64; 2]) -> Polygon {
    polygon(&[min, [max[0], min[1]], max, [min[0], max[1]]])
}

fn surface(shape: &Polygon) -> Geometry {
    Geometry::new_polygon(vec![ring(shape)])
}

/// The land without what stands on it: level with the ground floor, it would else lie in the plane of the floor.
fn around(land: &Polygon, standing: &Polygon) -> Geometry {
    let mut hole = ring(standing);
    hole.reverse();
    Geometry::new_polygon(vec![ring(land), hole])
}

fn ring(shape: &Polygon) -> Vec<Vec<f64>> {
    shape.exterior().coords().map(|c| mapped([c.x, c.y])).collect()
}

fn mapped([x, y]: [f64; 2]) -> Vec<f64> {
    let [e, n] = to_map(x, y);
    vec![milli(e), milli(n)]
}

fn milli(v: f64) -> f64 {
    (v * 1000.0).round() / 1000.0
}

fn round(v: f64) -> f64 {
    (v * 100.0).round() / 100.0
}

fn add(out: &mut Vec<Feature>, seed: u64, path: &str, geometry: Geometry, properties: &[(&str, JsonValue)]) {
    let mut object = JsonObject::new();
    for (name, value) in properties {
        object.insert((*name).into(), value.clone());
    }
    // The plot is level with the ground floor.
    object.insert("ground_m".into(), CORNER[2].into());
    out.push(Feature {
        bbox: None,
        geometry: Some(geometry),
        id: Some(geojson::feature::Id::String(global_id(seed, &format!("site/{path}")))),
        properties: Some(object),
        foreign_members: None,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_and_stays_off_the_building() {
        for seed in 0..8 {
            let text = write(seed);
            let collection: FeatureCollection = text.parse::<geojson::GeoJson>().unwrap().try_into().unwrap();
            let kinds: Vec<&str> =
                collection.features.iter().map(|f| f.property("kind").unwrap().as_str().unwrap()).collect();
            let count = |k: &str| kinds.iter().filter(|x| **x == k).count();
            assert!(count("building") >= 6, "seed {seed}: {}", count("building"));
            assert_eq!(count("main"), 8);
            assert!(count("tree") >= 15);
            assert_eq!(count("plot"), 1);
        }
    }
}
