//! Compiles the contracts in `proto/` with protox, so that no protoc has to be installed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = "../../proto";
    println!("cargo:rerun-if-changed={root}");
    let files = protox::compile(
        [
            "eco/agent/v1/agent.proto",
            "eco/log/v1/log.proto",
            "eco/keeper/v1/keeper.proto",
            "eco/state/v1/state.proto",
        ],
        [root],
    )?;
    tonic_prost_build::configure()
        .btree_map(".")
        .compile_fds(files)?;
    Ok(())
}
