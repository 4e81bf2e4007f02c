//! Rays against the picking tree, beside Bevy's own ray cast over the same elements in the same run.

use super::{Row, synthetic};
use crate::problem::Problem;
use crate::shape::bvh::Hit;
use crate::shape::{Aabb, Bvh};
use crate::site::Site;
use glam::DVec3;
use std::hint::black_box;
use std::time::Instant;

const ELEMENTS: usize = 200_000;
const RAYS: usize = 200;
/// How often our own rays are cast: one round takes less than a millisecond.
const ROUNDS: usize = 500;

/// Origin and direction, project frame.
type Ray = (DVec3, DVec3);

/// Measures on 200,000 elements.
///
/// # Errors
/// When the two do not meet the same elements: then neither figure says anything.
pub fn run() -> Result<Vec<Row>, Problem> {
    measure(ELEMENTS, ROUNDS)
}

fn measure(elements: usize, rounds: usize) -> Result<Vec<Row>, Problem> {
    let site = synthetic::site(elements, 0);
    let rays = rays(&site);
    let start = Instant::now();
    let tree = Bvh::of_elements(&site.elements, &site.shapes);
    let built_ms = start.elapsed().as_secs_f64() * 1e3;
    let cast = |(origin, direction): &Ray| tree.pick(*origin, *direction, |_| true);
    let hits: Vec<Option<Hit>> = rays.iter().map(cast).collect();
    let start = Instant::now();
    for _ in 0..rounds {
        rays.iter().for_each(|ray| {
            black_box(cast(black_box(ray)));
        });
    }
    let ours_us = start.elapsed().as_secs_f64() * 1e6 / (rounds * rays.len()) as f64;
    Ok(vec![
        beside_bevy(&site, &rays, &hits, ours_us)?,
        Row::only(format!("building the tree, {elements} elements"), "ms", built_ms),
    ])
}

/// From an eye above one side of the site to places spread evenly over it.
fn rays(site: &Site) -> Vec<Ray> {
    let bounds = site.elements.iter().filter_map(|e| e.bounds).reduce(Aabb::union);
    let bounds = bounds.unwrap_or(Aabb { min: DVec3::ZERO, max: DVec3::ZERO });
    let size = bounds.max - bounds.min;
    let eye = bounds.centre() + DVec3::new(0.0, -0.7 * size.y, 0.4 * size.x);
    // Multiples of the golden ratio and of its square root fall everywhere and repeat nowhere.
    let part = |i: usize, step: f64| (i as f64 * step).fract();
    (0..RAYS)
        .map(|i| {
            let at = DVec3::new(part(i, 0.618_034), part(i, 0.786_151), 0.2);
            (eye, (bounds.min + at * size - eye).normalize())
        })
        .collect()
}

const PEER: &str = "Bevy's MeshRayCast";

#[cfg(feature = "desktop")]
fn beside_bevy(site: &Site, rays: &[Ray], hits: &[Option<Hit>], ours_us: f64) -> Result<Row, Problem> {
    let (theirs, took) = crate::desktop::pick_cost::cast(site, rays);
    let same = |(ours, theirs): (&Option<Hit>, &Option<(crate::site::Slot, f64)>)| match (ours, theirs) {
        (Some(ours), Some((slot, distance))) => ours.slot == *slot && (ours.distance - distance).abs() < 0.01,
        (None, None) => true,
        _ => false,
    };
    let agreed = hits.iter().zip(&theirs).filter(|pair| same(*pair)).count();
    // A ray along an edge may meet either of two neighbours.
    if agreed * 100 < rays.len() * 99 {
        let what = format!("{PEER} meets the same as the tree on {agreed} of {} rays only", rays.len());
        return Err(Problem::error("plenum bench picking", what, "report it with what it printed"));
    }
    let theirs_us = took.as_secs_f64() * 1e6 / rays.len() as f64;
    Ok(Row::beside(case(site, rays, hits), "us", ours_us, PEER, theirs_us))
}

#[cfg(not(feature = "desktop"))]
fn beside_bevy(site: &Site, rays: &[Ray], hits: &[Option<Hit>], ours_us: f64) -> Result<Row, Problem> {
    Ok(Row::without(case(site, rays, hits), "us", ours_us, PEER, "this build has no rendering"))
}

fn case(site: &Site, rays: &[Ray], hits: &[Option<Hit>]) -> String {
    let met = hits.iter().flatten().count();
    format!("a ray, {} elements, {met} of {} rays meet one", site.elements.len(), rays.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_and_its_peer_meet_the_same() {
        let rows = measure(2_000, 1).unwrap();
        assert!(rows[0].ours.is_some_and(|us| us > 0.0));
        assert_eq!(rows[0].theirs.is_some(), cfg!(feature = "desktop"));
        assert_eq!(rows[0].why.is_some(), rows[0].theirs.is_none());
    }

    #[test]
    fn rays_meet_elements_and_gaps() {
        let site = synthetic::site(2_000, 0);
        let tree = Bvh::of_elements(&site.elements, &site.shapes);
        let met = rays(&site).iter().filter(|(o, d)| tree.pick(*o, *d, |_| true).is_some()).count();
        assert!(met > RAYS / 4 && met < RAYS, "{met}");
    }
}
