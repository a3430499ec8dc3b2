#pragma once

namespace wsi {

/// The whole command line: parses, runs one command, returns the process exit code. Every error
/// ends in one line on stderr.
int run_cli(int argc, char** argv);

}  // namespace wsi
