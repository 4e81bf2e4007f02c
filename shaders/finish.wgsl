// The last pass over the scene: background, see-through things, feature edges, outlines of what is selected or
// under the pointer.
//
// Alpha of what was drawn: 1 a surface, 0.75 a pixel of a screen door, below that half of what the ground left.
// A screen door's pattern repeats every 4 by 4 pixels, so the share of its pixels in any such block is what it
// covers, and mixing by that share is as good as blending, without sorting.
//
// Edges come from the depth and normal prepass: a pixel is an edge where its neighbour lies off its plane or
// is turned away from it. Both sides are drawn at part strength: a soft line has no steps.
#import bevy_core_pipeline::fullscreen_vertex_shader::FullscreenVertexOutput
#import bevy_render::view::View

struct Finish {
    top: vec4<f32>,
    horizon: vec4<f32>,
    bottom: vec4<f32>,
    // Linear RGB, and how strong in alpha.
    edge: vec4<f32>,
    selected: vec4<f32>,
    hovered: vec4<f32>,
    // Pixels in a logical pixel, neighbours to ask for an outline (none when there is nothing to outline); the rest is free.
    scale: vec4<f32>,
    // The part of the target that is drawn.
    area: vec4<f32>,
}

@group(0) @binding(0) var colour_texture: texture_2d<f32>;
@group(0) @binding(1) var depth_texture: texture_depth_2d;
@group(0) @binding(2) var normal_texture: texture_2d<f32>;
@group(0) @binding(3) var<uniform> view: View;
@group(0) @binding(4) var<uniform> finish: Finish;

struct Surface {
    depth: f32,
    position: vec3<f32>,
    normal: vec3<f32>,
    kind: u32,
}

fn inside(pixel: vec2<i32>) -> vec2<i32> {
    return clamp(pixel, vec2<i32>(0), vec2<i32>(textureDimensions(colour_texture)) - 1);
}

fn world(pixel: vec2<f32>, depth: f32) -> vec3<f32> {
    let uv = (pixel - view.viewport.xy) / view.viewport.zw;
    let p = view.world_from_clip * vec4(uv.x * 2.0 - 1.0, 1.0 - uv.y * 2.0, depth, 1.0);
    return p.xyz / p.w;
}

// Where nothing was drawn the texture says 0 or 3: nothing that has an outline.
fn kind_at(pixel: vec2<i32>) -> u32 {
    return u32(round(textureLoad(normal_texture, inside(pixel), 0).a * 3.0));
}

fn surface(pixel: vec2<i32>) -> Surface {
    let p = inside(pixel);
    var s: Surface;
    s.depth = textureLoad(depth_texture, p, 0);
    let n = textureLoad(normal_texture, p, 0);
    s.kind = u32(round(n.a * 3.0));
    s.normal = n.xyz * 2.0 - 1.0;
    s.position = world(vec2<f32>(p) + 0.5, max(s.depth, 1e-7));
    return s;
}

// How much of an edge there is from `here` to `there`, 0..1.
fn edge(here: Surface, there: Surface, footprint: f32) -> f32 {
    if here.kind == 3u && there.kind == 3u {
        return 0.0;
    }
    if there.depth <= 0.0 {
        return 1.0;
    }
    let off = abs(dot(here.normal, there.position - here.position));
    let away = smoothstep(1.0, 2.0, off / (0.015 + 2.5 * footprint));
    let turned = smoothstep(0.25, 0.6, 1.0 - dot(here.normal, there.normal));
    return max(away, turned);
}

struct Seen {
    colour: vec3<f32>,
    // 1 where nothing behind it is seen.
    solid: f32,
    door: f32,
}

// What is seen at a pixel, its screen doors smoothed.
fn seen(pixel: vec2<i32>, background: vec3<f32>) -> Seen {
    var door = vec4(0.0);
    var behind = vec4(0.0);
    let own = textureLoad(colour_texture, pixel, 0);
    for (var y = -1; y <= 2; y++) {
        for (var x = -1; x <= 2; x++) {
            let c = textureLoad(colour_texture, inside(pixel + vec2(x, y)), 0);
            if c.a > 0.6 && c.a < 0.9 {
                door += vec4(c.rgb, 1.0);
            } else {
                let cover = select(c.a * 2.0, 1.0, c.a > 0.9);
                behind += vec4(mix(background, c.rgb, cover), 1.0);
            }
        }
    }
    let own_cover = select(own.a * 2.0, 1.0, own.a > 0.9);
    let own_colour = mix(background, own.rgb, own_cover);
    let is_door = own.a > 0.6 && own.a < 0.9;
    if door.a == 0.0 {
        return Seen(own_colour, own_cover, 0.0);
    }
    let share = door.a / 16.0;
    var back = own_colour;
    if is_door {
        back = select(door.rgb / door.a, behind.rgb / max(behind.a, 1.0), behind.a > 0.0);
    }
    return Seen(mix(back, door.rgb / door.a, share), 1.0, share);
}

@fragment
fn fragment(in: FullscreenVertexOutput) -> @location(0) vec4<f32> {
    let pixel = vec2<i32>(in.position.xy);
    let thick = max(i32(round(finish.scale.x * 0.5)), 1);

    let far = normalize(world(in.position.xy, 1e-6) - view.world_position);
    var background = mix(finish.horizon.rgb, finish.top.rgb, smoothstep(0.0, 0.65, far.y));
    background = mix(background, finish.bottom.rgb, smoothstep(0.0, 0.5, -far.y));
    // A hair of noise, or the gradient would stand in bands.
    let noise = fract(52.9829189 * fract(dot(in.position.xy, vec2(0.06711056, 0.00583715)))) - 0.5;
    background += background * noise * 0.03;
    let drawn = seen(pixel, background);
    var colour = drawn.colour;

    let here = surface(pixel);
    if here.depth > 0.0 && finish.edge.a > 0.0 {
        let distance = length(here.position - view.world_position);
        let footprint = distance / (view.viewport.w * view.clip_from_view[1][1] * 0.5);
        var e = edge(here, surface(pixel + vec2(thick, 0)), footprint);
        e = max(e, edge(here, surface(pixel + vec2(0, thick)), footprint));
        e = max(e, edge(here, surface(pixel - vec2(thick, 0)), footprint));
        e = max(e, edge(here, surface(pixel - vec2(0, thick)), footprint));
        // Far away, where a pixel is wider than a frame or a pipe, lines would only blacken.
        let fade = mix(1.0, 0.25, smoothstep(0.02, 0.15, footprint));
        colour = mix(colour, finish.edge.rgb * colour, e * fade * finish.edge.a * drawn.solid * (1.0 - drawn.door * 0.8));
    }

    // Outlines stand outside of what they are about.
    let mine = here.kind;
    var selected = false;
    var hovered = false;
    let wide = max(finish.scale.x * 2.0, 1.0);
    let neighbours = i32(finish.scale.y);
    for (var i = 0; i < neighbours; i++) {
        let angle = f32(i) * 0.7853982;
        let ring = vec2(cos(angle), sin(angle));
        selected = selected || kind_at(vec2<i32>(floor(in.position.xy + ring * wide))) == 2u;
        hovered = hovered || kind_at(vec2<i32>(floor(in.position.xy + ring * wide * 0.6))) == 1u;
    }
    if selected && mine != 2u {
        colour = finish.selected.rgb;
    } else if hovered && mine != 1u && mine != 2u {
        colour = finish.hovered.rgb;
    }
    return vec4(colour, 1.0);
}
