//! From the domain frame (f64, Z up) to the one that is drawn (f32, Y up): once, here.
