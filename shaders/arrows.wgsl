// Arrows on pipes and ducts: chevrons on the surface, pointing downstream and moving with the flow.
//
// Two rows a slot, written when a flow changes (src/desktop/render/arrows.rs has the same layout); whoever carries
// nothing has rows of zeros. Nothing is drawn for it: it is a colour of the surface that is drawn anyway.
#define_import_path plenum::arrows

// Row 0: axis, downstream, as long as half the element is wide (metres); metres from one chevron to the next, negative
// for what is rectangular. Row 1: a place on the axis; low 16 bits: chevrons in an hour, high 16 bits: phase, of 65536.
@group(#{MATERIAL_BIND_GROUP}) @binding(3) var<storage, read> flows: array<vec4<u32>>;

// How far a chevron's wings lie behind its tip, and how broad its stroke is, in halves of the element's width.
const SWEEP: f32 = 0.9;
const STROKE: f32 = 0.55;
// How far its wings reach, in halves of the element's width.
const REACH: f32 = 0.72;

// How much of a pixel is an arrow's, 0 to 1. `dx` and `dy`: what a pixel to the right and below is of the surface,
// metres; the width of a pixel in the pattern, which is what fwidth gives, follows from them without a derivative
// under a condition.
fn cover(slot: u32, place: vec3<f32>, normal: vec3<f32>, eye: vec3<f32>, dx: vec3<f32>, dy: vec3<f32>, time: f32) -> f32 {
    let row = 2u * min(slot, max(arrayLength(&flows) / 2u, 1u) - 1u);
    let moves = flows[row + 1u];
    let speed = f32(moves.w & 0xffffu) / 3600.0;
    if speed == 0.0 {
        return 0.0;
    }
    let heading = bitcast<vec4<f32>>(flows[row]);
    let half_width = max(length(heading.xyz), 1e-4);
    let axis = heading.xyz / half_width;
    let spacing = max(abs(heading.w), 1e-3);
    let off = place - bitcast<vec3<f32>>(moves.xyz);
    let across = off - axis * dot(off, axis);

    // Across a flat side the pattern follows the side; around a pipe it turns with whoever looks, so that there is
    // always one whole chevron to be seen.
    let to_eye = normalize(eye - (place - across));
    var side = cross(axis, select(normal, to_eye, heading.w > 0.0));
    let turned = length(side);
    side /= max(turned, 1e-4);
    let t = dot(across, side) / half_width;

    let back = half_width * SWEEP / spacing;
    let phase = dot(place, axis) / spacing + abs(t) * back + f32(moves.w >> 16u) / 65536.0 - speed * time;
    let per_side = (abs(dot(side, dx)) + abs(dot(side, dy))) / half_width;
    let per_pixel = max((abs(dot(axis, dx)) + abs(dot(axis, dy))) / spacing + per_side * back, 1e-6);
    let width = half_width * STROKE / spacing;
    let from_middle = abs(fract(phase) - 0.5) - 0.5 * width;
    var shown = 1.0 - smoothstep(-0.5, 0.5, from_middle / per_pixel);
    shown *= 1.0 - smoothstep(-0.5, 0.5, (abs(t) - REACH) / max(per_side, 1e-6));
    // A stroke finer than its pixels is noise; on a cap, and along the axis, there is no arrow to be read.
    shown *= smoothstep(0.7, 1.8, width / per_pixel);
    shown *= 1.0 - smoothstep(0.4, 0.7, abs(dot(normal, axis)));
    return shown * smoothstep(0.06, 0.2, turned);
}

// The ink of an arrow on a colour: what stands off from it, in every palette and in both themes.
fn ink(colour: vec3<f32>) -> vec3<f32> {
    let light = dot(colour, vec3(0.2126, 0.7152, 0.0722));
    return select(mix(colour, vec3(1.0), 0.82), colour * 0.16, light > 0.22);
}
