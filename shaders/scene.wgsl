// What every shader of the scene shares: state words, colours and the state of the view.
// The layouts are those of src/twin/state_words.rs and src/desktop/render/scene_state.rs.
#define_import_path plenum::scene

const PALETTE_STEPS: u32 = 64u;
const PALETTES: u32 = 8u;

const PALETTE_MATERIAL: u32 = 0u;
const PALETTE_TEMPERATURE: u32 = 2u;
const PALETTE_QUIET: u32 = 4u;
const PALETTE_FLOW: u32 = 6u;

const HIDDEN: u32 = 1u << 24u;
const GHOST: u32 = 1u << 25u;
const SELECTED: u32 = 1u << 26u;
const HOVERED: u32 = 1u << 27u;
const STALE: u32 = 1u << 28u;
const UNCUT: u32 = 1u << 29u;
const SPACE: u32 = 1u << 30u;

struct SceneState {
    // Height of the cut (drawn frame, Y up, metres), 1 when there is a cut, pixels in a logical pixel, height of the ground.
    params: vec4<f32>,
    // 1 for the light theme; arrows on what carries a flow: 0 none, 1 moving, 2 still; the rest is free.
    flags: vec4<u32>,
    // Linear RGB.
    selected: vec4<f32>,
    hovered: vec4<f32>,
    cut: vec4<f32>,
    sky_light: vec4<f32>,
    ground_light: vec4<f32>,
    sun_light: vec4<f32>,
    ground: vec4<f32>,
    grid: vec4<f32>,
    // Linear RGB of each palette's steps.
    palette: array<vec4<f32>, 512>,
}

@group(#{MATERIAL_BIND_GROUP}) @binding(0) var<storage, read> state: SceneState;
@group(#{MATERIAL_BIND_GROUP}) @binding(1) var<storage, read> words: array<u32>;
@group(#{MATERIAL_BIND_GROUP}) @binding(2) var<storage, read> colours: array<u32>;

fn word_of(slot: u32) -> u32 {
    return words[min(slot, arrayLength(&words) - 1u)];
}

// The element's own colour: 8 bits a channel, stored as square roots.
fn colour_of(slot: u32) -> vec4<f32> {
    let c = unpack4x8unorm(colours[min(slot, arrayLength(&colours) - 1u)]);
    return vec4(c.rgb * c.rgb, c.a);
}

fn palette_colour(word: u32) -> vec3<f32> {
    let palette = min((word >> 16u) & 0xffu, PALETTES - 1u);
    let value = word & 0xffffu;
    let row = palette * PALETTE_STEPS;
    // Temperature, and from the flow's on, are scales; the others are lists.
    if palette == PALETTE_TEMPERATURE || palette >= PALETTE_FLOW {
        let at = f32(value) / 65535.0 * f32(PALETTE_STEPS - 1u);
        let i = min(u32(at), PALETTE_STEPS - 2u);
        return mix(state.palette[row + i].rgb, state.palette[row + i + 1u].rgb, at - f32(i));
    }
    return state.palette[row + min(value, PALETTE_STEPS - 1u)].rgb;
}

// Ordered dither, 4 by 4: 0..1, each value on one pixel of sixteen.
fn dither(pixel: vec2<f32>) -> f32 {
    let p = vec2<u32>(pixel) % 4u;
    let a = (p.x ^ p.y);
    let v = ((a & 1u) << 3u) | ((p.y & 1u) << 2u) | ((a & 2u)) | ((p.y & 2u) >> 1u);
    return (f32(v) + 0.5) / 16.0;
}

fn is_cut_away(word: u32, height: f32) -> bool {
    // A millimetre less: a face in the plane of the cut goes, and is not a matter of rounding. If it stayed, the
    // underside of the slab above would hide the storey.
    return state.params.y > 0.5 && (word & UNCUT) == 0u && height > state.params.x - 0.001;
}
