package dev.coppice.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** {@code --branch}, for commands about what is in a branch. */
final class BranchOption {
    @Option(
            names = "--branch",
            paramLabel = "BRANCH",
            description = "The branch, by name or id. Default: that of the context, else the default branch.")
    private @Nullable String branch;

    /** As typed; null means that of the context, else the default branch. */
    @Nullable
    String name() {
        return branch;
    }
}
