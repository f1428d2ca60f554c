//! The queue as a whole, driven by a person at random and executed by a script.

mod model;
mod person;
