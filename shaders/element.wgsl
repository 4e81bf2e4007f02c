// An element: its state word gives palette, value and flags; light is a sun, a sky and a ground.
//
// The lighting is our own and small: a palette's colour must be read as that colour, so nothing is tone-mapped.
#import bevy_pbr::{
    forward_io::VertexOutput,
    mesh_functions::get_tag,
    mesh_view_bindings::{view, lights, globals},
    shadows::fetch_directional_shadow,
}
#ifdef SCREEN_SPACE_AMBIENT_OCCLUSION
#import bevy_pbr::mesh_view_bindings::screen_space_ambient_occlusion_texture
#endif
#import plenum::scene
#import plenum::arrows

@fragment
fn fragment(in: VertexOutput) -> @location(0) vec4<f32> {
    // Derivatives first: they want every pixel of a quad to be alive.
    let to_eye = normalize(view.world_position - in.world_position.xyz);
    let dx = dpdx(in.world_position.xyz);
    let dy = dpdy(in.world_position.xyz);
    var face = cross(dx, dy);
    face = face * select(-1.0, 1.0, dot(face, to_eye) > 0.0);
    let stored = normalize(in.world_normal);
    let from_behind = dot(face, stored) < 0.0;
    let normal = select(stored, -stored, from_behind);

    let slot = get_tag(in.instance_index);
    let word = scene::word_of(slot);
    if (word & scene::HIDDEN) != 0u || scene::is_cut_away(word, in.world_position.y) {
        discard;
    }
    let palette = (word >> 16u) & 0xffu;
    var own = scene::colour_of(slot);
#ifdef VERTEX_COLORS
    own = in.color;
#endif
    let is_material = palette == scene::PALETTE_MATERIAL;
    var colour = own.rgb;
    if !is_material {
        colour = scene::palette_colour(word);
    }

    // See-through things are a screen door: more of it where they are seen edge-on, so that their form is read.
    let facing = abs(dot(normal, to_eye));
    var cover = 1.0;
    if (word & scene::GHOST) != 0u {
        cover = mix(0.5, 0.08, pow(facing, 0.6));
    } else if (word & scene::SPACE) != 0u {
        let floor_of_cut = scene::state.params.y > 0.5 && stored.y < -0.5;
        if !floor_of_cut {
            cover = select(0.28, 0.0, scene::state.params.y > 0.5);
        }
    } else if own.a < 0.99 {
        cover = mix(0.85, clamp(own.a, 0.25, 0.6), facing);
    }
    if (word & (scene::SELECTED | scene::HOVERED)) != 0u {
        cover = max(cover, 0.5);
    }
    if cover < 1.0 && cover < scene::dither(in.position.xy) {
        discard;
    }

    // The inside of what is cut is flat, like the poché of a plan.
    let is_cut = scene::state.params.y > 0.5 && from_behind && (word & (scene::UNCUT | scene::SPACE | scene::GHOST)) == 0u && own.a > 0.99;
    if is_cut {
        var flat_colour = mix(scene::state.cut.rgb, colour, 0.25);
        if !is_material && palette != scene::PALETTE_QUIET {
            flat_colour = colour * 0.8;
        }
        if (word & scene::SELECTED) != 0u {
            flat_colour = mix(flat_colour, scene::state.selected.rgb, 0.5);
        }
        return vec4(flat_colour, 1.0);
    }

    // 1: arrows move; 2: they stand still, in pictures.
    if scene::state.flags.y != 0u && cover >= 1.0 {
        let time = select(globals.time, 0.0, scene::state.flags.y == 2u);
        let arrow = arrows::cover(slot, in.world_position.xyz, normal, view.world_position, dx, dy, time);
        colour = mix(colour, arrows::ink(colour), arrow * 0.9);
    }
    if (word & scene::STALE) != 0u {
        let stripe = fract((in.position.x + in.position.y) / (9.0 * scene::state.params.z));
        colour = mix(colour, colour * 0.45, step(0.5, stripe));
    }
    if (word & scene::SELECTED) != 0u {
        colour = mix(colour, scene::state.selected.rgb, 0.55);
    }
    if (word & scene::HOVERED) != 0u {
        colour = mix(colour, scene::state.hovered.rgb, 0.22);
    }

    var occlusion = 1.0;
#ifdef SCREEN_SPACE_AMBIENT_OCCLUSION
    // What is not in the depth prepass has no occlusion of its own in the texture.
    if cover >= 1.0 {
        occlusion = textureLoad(screen_space_ambient_occlusion_texture, vec2<i32>(in.position.xy), 0).r;
    }
#endif
    let to_sun = lights.directional_lights[0].direction_to_light;
    var sun = max(dot(normal, to_sun), 0.0);
    if sun > 0.0 && (lights.directional_lights[0].flags & 1u) != 0u {
        let view_z = dot(vec4(view.view_from_world[0].z, view.view_from_world[1].z, view.view_from_world[2].z, view.view_from_world[3].z), in.world_position);
        sun *= fetch_directional_shadow(0u, in.world_position, normal, view_z, in.position.xy);
    }
    let sky = mix(scene::state.ground_light.rgb, scene::state.sky_light.rgb, normal.y * 0.5 + 0.5);
    // A little light from the eye keeps the form of what faces away from the sun.
    let eye = 0.13 * facing;
    var lit = colour * ((sky + eye) * occlusion + scene::state.sun_light.rgb * sun * mix(1.0, occlusion, 0.35));
    if is_material {
        let halfway = normalize(to_eye + to_sun);
        lit += vec3(0.05) * sun * pow(max(dot(normal, halfway), 0.0), 32.0);
    }
    // Alpha says what the last pass has to do: 1 is there, 0.75 is a screen door to be smoothed.
    return vec4(lit, select(1.0, 0.75, cover < 1.0));
}
