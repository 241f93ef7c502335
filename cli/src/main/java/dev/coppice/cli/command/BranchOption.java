package dev.coppice.cli.command;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** {@code --branch}, for commands about what is in a branch. */
public final class BranchOption {
    @Option(
            names = "--branch",
            paramLabel = "BRANCH",
            description = "The branch, by name or id. Default: that of the context, else the default branch.")
    private @Nullable String branch;

    /** As typed; null means that of the context, else the default branch. */
    @Nullable
    public String name() {
        return branch;
    }
}
