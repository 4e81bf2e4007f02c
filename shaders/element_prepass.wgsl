// Depth and normals of elements, for shadows, ambient occlusion and edges: the same pixels are left out as in
// element.wgsl, and see-through things are left out whole, so that they cast no shadow and hide no edge.
//
// The two bits of the normal's alpha tell the last pass what a pixel is: 0 an element, 1 under the pointer,
// 2 selected, 3 flat (no edges inside).
#import bevy_pbr::{
    prepass_io::{VertexOutput, FragmentOutput},
    mesh_functions::get_tag,
    mesh_view_bindings::view,
}
#import plenum::scene

fn is_left_out(in: VertexOutput, word: u32) -> bool {
    if (word & (scene::HIDDEN | scene::GHOST)) != 0u || scene::is_cut_away(word, in.world_position.y) {
        return true;
    }
    if (word & scene::SPACE) != 0u {
        return true;
    }
#ifdef VERTEX_COLORS
    return in.color.a < 0.99;
#else
    return scene::colour_of(get_tag(in.instance_index)).a < 0.99;
#endif
}

#ifdef PREPASS_FRAGMENT
@fragment
fn fragment(in: VertexOutput) -> FragmentOutput {
    let to_eye = view.world_position - in.world_position.xyz;
    var face = cross(dpdx(in.world_position.xyz), dpdy(in.world_position.xyz));
    face = face * select(-1.0, 1.0, dot(face, to_eye) > 0.0);
    let word = scene::word_of(get_tag(in.instance_index));
    if is_left_out(in, word) {
        discard;
    }
    var out: FragmentOutput;
#ifdef NORMAL_PREPASS
    let stored = normalize(in.world_normal);
    let from_behind = dot(face, stored) < 0.0;
    var normal = select(stored, -stored, from_behind);
    var kind = select(0.0, 1.0 / 3.0, (word & scene::HOVERED) != 0u);
    if scene::state.params.y > 0.5 && from_behind && (word & scene::UNCUT) == 0u {
        normal = vec3(0.0, 1.0, 0.0);
        kind = 1.0;
    }
    if (word & scene::SELECTED) != 0u {
        kind = 2.0 / 3.0;
    }
    out.normal = vec4(normal * 0.5 + vec3(0.5), kind);
#endif
#ifdef UNCLIPPED_DEPTH_ORTHO_EMULATION
    out.frag_depth = in.unclipped_depth;
#endif
    return out;
}
#else
@fragment
fn fragment(in: VertexOutput) {
    if is_left_out(in, scene::word_of(get_tag(in.instance_index))) {
        discard;
    }
}
#endif
