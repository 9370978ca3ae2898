//! Tells the crate which target it is built for; only build scripts know.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = std::env::var("TARGET").expect("cargo sets it");
    println!("cargo::rustc-env=TESTKIT_TARGET={target}");
}
