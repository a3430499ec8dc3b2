#include "pipeline/cli.h"

int main(int argc, char** argv) { return wsi::run_cli(argc, argv); }
