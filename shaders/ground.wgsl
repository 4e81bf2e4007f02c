// The ground under a model: quiet, with a grid of metres, fading into the background. Alpha is half of
// how much of it is left; the last pass mixes it with the background.
#import bevy_pbr::{
    forward_io::VertexOutput,
    mesh_view_bindings::{view, lights},
    shadows::fetch_directional_shadow,
}
#ifdef SCREEN_SPACE_AMBIENT_OCCLUSION
#import bevy_pbr::mesh_view_bindings::screen_space_ambient_occlusion_texture
#endif
#import plenum::scene

fn lines(at: vec2<f32>, step: f32, width: f32) -> f32 {
    let p = at / step;
    let d = fwidth(p) * width;
    let near = abs(fract(p - 0.5) - 0.5) / max(d, vec2(1e-6));
    // A grid finer than its pixels is no grid.
    let shown = 1.0 - smoothstep(0.15, 0.45, max(d.x, d.y));
    return (1.0 - min(min(near.x, near.y), 1.0)) * shown;
}

@fragment
fn fragment(in: VertexOutput) -> @location(0) vec4<f32> {
    let at = in.world_position.xz;
    let grid = max(lines(at, 1.0, 1.0) * 0.35, lines(at, 10.0, 1.2));
    // uv is 0..1 over the plane; it ends before its own rim.
    let rim = length(in.uv - vec2(0.5)) * 2.0;
    let left = 1.0 - smoothstep(0.35, 0.98, rim);
    if view.world_position.y < in.world_position.y || left <= 0.004 {
        discard;
    }
    var occlusion = 1.0;
#ifdef SCREEN_SPACE_AMBIENT_OCCLUSION
    occlusion = textureLoad(screen_space_ambient_occlusion_texture, vec2<i32>(in.position.xy), 0).r;
#endif
    let to_sun = lights.directional_lights[0].direction_to_light;
    var shadow = 1.0;
    if (lights.directional_lights[0].flags & 1u) != 0u {
        let view_z = dot(vec4(view.view_from_world[0].z, view.view_from_world[1].z, view.view_from_world[2].z, view.view_from_world[3].z), in.world_position);
        shadow = fetch_directional_shadow(0u, in.world_position, vec3(0.0, 1.0, 0.0), view_z, in.position.xy);
    }
    let base = mix(scene::state.ground.rgb, scene::state.grid.rgb, grid * scene::state.grid.a);
    // The ground's colour is what it is in full light; shadow and occlusion take from that.
    let lit = base * mix(0.62, 1.0, shadow) * mix(0.45, 1.0, occlusion);
    return vec4(lit, left * 0.5);
}
