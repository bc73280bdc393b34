//! Embedding the migrations is a macro's work; cargo must be told to run it again when a file is added.
fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
