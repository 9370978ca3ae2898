//! Pictures of pools as those who read them see them: the text word by word, JSON by a parser, the
//! page by a parser of HTML, by its own script, and in a browser where there is one.

mod common;

use std::ffi::{CString, c_char, c_void};
use std::path::PathBuf;
use std::process::Command;
use std::ptr;

use memory_pool::*;
use serde_json::{Value, json};
use testkit::tool;

/// What breaks out of whatever is not escaped.
const EVIL_NAME: &str = "\"</script><img src=x onerror=a()>&\\";

fn pool_of(name: &str, options: pool_options_t) -> *mut pool_t {
    let name = CString::new(name).expect("no NUL");
    let options = pool_options_t { name: name.as_ptr(), ..options };
    let mut pool = ptr::null_mut();
    // SAFETY: sound options, and a place for the answer.
    assert_eq!(unsafe { pool_create_with(&raw const options, &raw mut pool) }, POOL_OK);
    pool
}

extern "C" fn collect(text: *mut c_void, bytes: *const c_char, count: usize) -> bool {
    // SAFETY: so many bytes that the library wrote.
    let piece = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), count) };
    // SAFETY: the vector of `picture`.
    unsafe { &mut *text.cast::<Vec<u8>>() }.extend_from_slice(piece);
    true
}

fn picture(pool: *mut pool_t, format: u32) -> String {
    let mut text = Vec::<u8>::new();
    let to = (&raw mut text).cast();
    // SAFETY: a live pool, and a callback that knows its word.
    assert_eq!(unsafe { pool_write_snapshot(pool, format, Some(collect), to) }, POOL_OK);
    String::from_utf8(text).expect("UTF-8")
}

fn json_of(pool: *mut pool_t) -> Value {
    serde_json::from_str(&picture(pool, POOL_SNAPSHOT_JSON)).expect("JSON")
}

fn end(pool: *mut pool_t) {
    // SAFETY: a live pool, whose blocks nobody uses any more.
    assert_eq!(unsafe { pool_reset(pool) }, POOL_OK);
    // SAFETY: as above.
    assert_eq!(unsafe { pool_destroy(pool) }, POOL_OK);
}

#[inline(never)]
fn take_some(pool: *mut pool_t, count: usize) -> Vec<*mut c_void> {
    // SAFETY: a live pool.
    (0..count).map(|_| unsafe { pool_allocate(pool) }).collect()
}

fn give_back(pool: *mut pool_t, block: *mut c_void) {
    // SAFETY: a live pool.
    assert_eq!(unsafe { pool_deallocate(pool, block) }, POOL_OK);
}

/// Blocks 0 and 2 of a hundred are live, block 1 came back.
fn small(checks: u32, name: &str) -> *mut pool_t {
    let pool = pool_of(name, pool_options_t { checks, ..common::options(64, 100) });
    let blocks = take_some(pool, 3);
    give_back(pool, blocks[1]);
    pool
}

#[test]
fn the_text_of_a_small_pool_is_this() {
    let pool = small(POOL_CHECKS_STANDARD, "small");
    let text = picture(pool, POOL_SNAPSHOT_TEXT);
    let is_of_the_system = |line: &&str| line.contains("_bytes") || line.contains(" bytes   ");
    let kept: Vec<_> = text.lines().filter(|line| !is_of_the_system(line)).collect();
    let map = "#.#-------------------------------------------------------------";
    let expected = format!(
        "  block size                        64    stride                            64
  alignment                         64    capacity                         100
  max capacity                     100    in use                             2
  available                         98    peak in use                        3
  allocations                        3    deallocations                      1
  failures                           0    heap blocks                        0

  # live                             2    2.0 %
  . free                             1    1.0 %
  c cached                           0    0.0 %
  q quarantined                      0    0.0 %
  - untouched                       97   97.0 %

A character a block, from the lowest address on:
             0  {map}
            64  ------------------------------------

OS pages of"
    );
    assert_eq!(
        testkit::example::masked(kept[0]),
        "pool \"small\": single, checks standard, at ADDRESS"
    );
    assert!(kept[2..].join("\n").starts_with(&expected), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    end(pool);
}

#[test]
fn a_row_of_the_map_that_repeats_is_a_star() {
    let pool = pool_of("large", common::options(64, 1_000_000));
    let blocks = take_some(pool, 600_000);
    blocks.iter().step_by(2).for_each(|&block| give_back(pool, block));
    let text = picture(pool, POOL_SNAPSHOT_TEXT);
    assert!(
        text.contains("\n489 blocks a character; a digit is how many tenths of them are live:\n")
    );
    // Of 489 blocks half are 244 or 245 in turn.
    assert!(text.contains(&format!("\n             0  {}\n", "45".repeat(32))));
    assert!(text.contains("\n             *\n"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    end(pool);
}

#[test]
fn the_json_says_which_blocks_are_what() {
    let pool = small(POOL_CHECKS_STANDARD, EVIL_NAME);
    let picture = json_of(pool);
    assert_eq!(picture["memory_pool_snapshot"], 1);
    assert_eq!(picture["name"], EVIL_NAME);
    assert_eq!((&picture["mode"], &picture["checks"]), (&json!("single"), &json!("standard")));
    assert_eq!(
        picture["states"],
        json!({"live": 2, "free": 1, "cached": 0, "quarantined": 0, "untouched": 97})
    );
    assert_eq!(
        picture["runs"],
        json!([
            {"first": 0, "blocks": 1, "state": "live"},
            {"first": 1, "blocks": 1, "state": "free"},
            {"first": 2, "blocks": 1, "state": "live"},
            {"first": 3, "blocks": 97, "state": "untouched"},
        ])
    );
    assert_eq!((&picture["in_use"], &picture["capacity"]), (&json!(2), &json!(100)));
    assert_eq!(picture["pages"]["kept"], 1);
    assert_eq!(picture["pages"]["runs"], json!([{"first": 0, "pages": 1, "live": 2}]));
    assert_eq!(picture["sites"], Value::Null);
    end(pool);
}

#[test]
fn with_full_checks_each_live_block_has_its_site() {
    let pool = small(POOL_CHECKS_FULL, "watched");
    let picture = json_of(pool);
    let sites = picture["sites"]["list"].as_array().expect("a list");
    assert_eq!((sites.len(), &sites[0]["blocks"]), (1, &json!(2)));
    assert_eq!((&sites[0]["bytes"], &sites[0]["oldest_operation"]), (&json!(128), &json!(1)));
    let frames = sites[0]["frames"].as_array().expect("a list");
    let is_ours =
        |frame: &Value| frame["function"].as_str().is_some_and(|f| f.contains("take_some"));
    assert!(frames.iter().any(is_ours), "{frames:?}");
    assert_eq!(picture["runs"][0], json!({"first": 0, "blocks": 1, "state": "live", "site": 0}));
    assert_eq!(picture["runs"][1]["state"], "quarantined");
    let text = self::picture(pool, POOL_SNAPSHOT_TEXT);
    assert!(text.contains("\n  2 blocks, 128 bytes, the oldest by operation 1\n    #0 "), "{text}");
    end(pool);
}

/// The page of a pool as a file.
fn page(pool: *mut pool_t, name: &str) -> PathBuf {
    let file = testkit::scratch(&format!("snapshot-{name}")).join("page.html");
    std::fs::write(&file, picture(pool, POOL_SNAPSHOT_HTML)).expect("target is writable");
    file
}

/// What a program says of a page, as JSON.
fn read_by(program: PathBuf, script: &str, page: &PathBuf) -> Value {
    let script = testkit::root().join("tests/snapshot").join(script);
    let answer = testkit::run(Command::new(program).arg(script).arg(page));
    serde_json::from_str(&answer).expect("JSON")
}

#[test]
fn a_page_is_whole_asks_for_nothing_and_no_name_breaks_out() {
    let Some(python) = tool::find("python3", "apt-get install python3") else { return };
    let pool = small(POOL_CHECKS_STANDARD, EVIL_NAME);
    let read = read_by(python, "page.py", &page(pool, "evil"));
    assert_eq!((&read["tags"]["script"], &read["tags"]["img"]), (&json!(2), &Value::Null));
    assert_eq!((&read["unclosed"], &read["title"]), (&json!(0), &json!("Memory pool")));
    assert_eq!(read["data"]["name"], EVIL_NAME);
    assert_eq!(
        read["data"]["cells"],
        json!([
            [1, 1, 0, 0, 0, 0, 0],
            [1, 0, 1, 0, 0, 0, 0],
            [1, 1, 0, 0, 0, 0, 0],
            [97, 0, 0, 0, 0, 1, 0]
        ])
    );
    end(pool);
}

#[test]
fn the_script_of_a_page_draws_each_block() {
    let Some(node) = tool::find("node", "apt-get install nodejs") else { return };
    let pool = small(POOL_CHECKS_FULL, EVIL_NAME);
    let shown = read_by(node, "dom.js", &page(pool, "script"));
    assert_eq!(shown["name"], EVIL_NAME);
    assert_eq!(shown["title"], format!("Memory pool {EVIL_NAME}"));
    assert_eq!(
        shown["legend"],
        "live 2 2.0 %free 0 0.0 %cached 0 0.0 %quarantined 1 1.0 %untouched 97 97.0 %"
    );
    assert_eq!(shown["drawn"], 100);
    let text = |key: &str| shown[key].as_str().expect("a text").to_owned();
    assert!(text("pointed").starts_with("Block 0live: handed out0x"), "{shown}");
    assert!(text("next").starts_with("Block 1quarantined: came back, waits to be free"), "{shown}");
    assert!(text("sites").contains("2 blocks, 128 bytes, the oldest by operation 1"), "{shown}");
    assert!(text("pages").contains("page 0"), "{shown}");
    end(pool);
}

#[test]
fn the_page_of_a_large_pool_is_small() {
    let pool = pool_of("large", common::options(64, 1_000_000));
    take_some(pool, 900_000).iter().step_by(3).for_each(|&block| give_back(pool, block));
    let page = picture(pool, POOL_SNAPSHOT_HTML);
    assert!(page.len() < 1 << 20, "{} bytes", page.len());
    let data =
        page.split("id=\"snapshot\">\n").nth(1).and_then(|rest| rest.split("</script").next());
    let data: Value = serde_json::from_str(data.expect("the data")).expect("JSON");
    let cells = data["cells"].as_array().expect("a list").iter();
    let cells: Vec<Vec<u64>> =
        cells.map(|run| serde_json::from_value(run.clone()).expect("numbers")).collect();
    assert!(cells.iter().map(|run| run[0]).sum::<u64>() <= 20_000);
    let live: u64 = cells.iter().map(|run| run[0] * run[1]).sum();
    let blocks: u64 = cells.iter().map(|run| run[0] * run[1..6].iter().sum::<u64>()).sum();
    assert_eq!((live, blocks), (600_000, 1_000_000));
    end(pool);
}

/// A browser is no tool that the tests ask for: the two tests above look at the same page.
#[test]
fn a_browser_shows_the_page() {
    let browsers = ["chromium", "chromium-browser", "google-chrome"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path)
        .flat_map(|folder| browsers.map(|browser| folder.join(browser)));
    let Some(browser) = places.find(|place| place.is_file()) else {
        tool::tell(
            "no browser here: the page was looked at by parsers alone; apt-get install chromium",
        );
        return;
    };
    let pool = small(POOL_CHECKS_FULL, EVIL_NAME);
    let page = format!("file://{}", page(pool, "browser").display());
    let profile = testkit::scratch("snapshot-profile");
    let shown = testkit::run(
        Command::new(browser)
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(page),
    );
    let name = "&lt;/script&gt;&lt;img src=x onerror=a()&gt;&amp;\\</h1>";
    assert!(shown.contains(name) && !shown.contains("<img"), "{shown}");
    assert!(shown.contains("quarantined <b>1</b>"), "{shown}");
    end(pool);
}
