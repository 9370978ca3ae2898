//! The benchmark beside other pools works, whoever of them is at hand: in seconds, with no figures
//! to go by.

use std::fs;
use std::process::Command;

use testkit::root;

#[test]
fn the_benchmark_of_peers_measures_its_own_and_those_at_hand() {
    let mut peers = Command::new(env!("CARGO"));
    // A folder of its own: the one in use may be locked by the cargo that runs this test.
    peers.args(["peers", "smoke"]).env("CARGO_TARGET_DIR", root().join("target/demo"));
    let printed = testkit::run(peers.current_dir(root()));
    assert!(!printed.contains("FAILED"), "{printed}");
    let folder = root().join("target/peers/results");
    let results = fs::read_to_string(folder.join("results.json")).expect("it was written");
    let results: serde_json::Value = serde_json::from_str(&results).expect("it is JSON");
    let scenarios = results["scenarios"].as_array().expect("a list");
    for own in ["SINGLE", "SAFE", "LOCK_FREE", "FixedBlockMemoryPool", "PoolCache"] {
        let does = |scenario: &serde_json::Value| {
            let rows = scenario["rows"].as_array().expect("a list");
            rows.iter().any(|row| row["participant"] == own)
        };
        assert!(scenarios.iter().any(does), "{own} did nothing");
    }
    let page = fs::read_to_string(folder.join("README.md")).expect("it was written");
    for chart in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(folder.join(chart).is_file(), "the page shows no file: {chart}");
    }
}

#[test]
fn what_the_committed_page_shows_is_there() {
    let folder = root().join("docs/benchmarks");
    let page = fs::read_to_string(folder.join("README.md")).expect("it is committed");
    let links = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let local: Vec<_> = links.filter(|link| !link.contains(':')).collect();
    assert!(local.contains(&"overview.svg"), "the page has no chart");
    for link in local {
        assert!(folder.join(link).is_file(), "the page shows no file: {link}");
    }
}
