//! What people see: rendering, camera, picking, panels. The only room that knows wgpu, winit and egui.
