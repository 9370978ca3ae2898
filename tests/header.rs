//! include/memory_pool/pool.h is what cbindgen makes of src/capi.

use std::path::Path;

#[test]
fn the_committed_header_is_a_fresh_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let committed = root.join("include/memory_pool/pool.h");
    let mut fresh = Vec::new();
    cbindgen::generate(root).expect("src/capi is what cbindgen understands").write(&mut fresh);
    if std::env::var_os("UPDATE_HEADER").is_some() {
        std::fs::write(&committed, &fresh).expect("include/memory_pool is writable");
    }
    let committed = std::fs::read(&committed).expect("the header is committed");
    assert!(
        committed == fresh,
        "include/memory_pool/pool.h is not what src/capi says; \
         run UPDATE_HEADER=1 cargo test --test header and commit it"
    );
}
