//! The whole queue, driven by a randomized user against a scripted server.

mod model;
mod person;
