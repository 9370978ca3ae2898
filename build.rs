//! Two words to the linker and to crates that build on this one. The header is not made here:
//! it is committed, and tests/header.rs compares it with a fresh one.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=MEMORY_POOL_SONAME");

    // Seen by build scripts of crates that depend on this one, as DEP_MEMORY_POOL_INCLUDE.
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    println!("cargo::metadata=include={root}/include");

    // Whether a thread sanitizer in the program sees what this library does (src/host/tsan.rs).
    if env::var("CARGO_CFG_SANITIZE").is_ok_and(|names| names.contains("thread")) {
        println!("cargo::rustc-env=MEMORY_POOL_IS_INSTRUMENTED=1");
    }

    // Only who packages the library (CMake) gives it a versioned soname. Cargo hands a link
    // argument of this crate on to every cdylib that depends on it, so it can't be the default.
    if let Ok(soname) = env::var("MEMORY_POOL_SONAME") {
        let flag = match env::var("CARGO_CFG_TARGET_OS").as_deref() {
            Ok("macos") => format!("-Wl,-install_name,@rpath/{soname}"),
            _ => format!("-Wl,-soname,{soname}"),
        };
        println!("cargo::rustc-cdylib-link-arg={flag}");
    }
}
