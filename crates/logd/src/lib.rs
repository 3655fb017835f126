//! The log daemon: finds, merges and streams the lines of the runs.
