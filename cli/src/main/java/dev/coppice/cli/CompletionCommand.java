package dev.coppice.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
        name = "completion",
        description = "Print a script that completes commands and options in bash and zsh.",
        footerHeading = "%nExamples:%n",
        footer = {"  source <(coppice completion)", "  coppice completion > /etc/bash_completion.d/coppice"})
final class CompletionCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() {
        spec.commandLine()
                .getOut()
                .print(AutoComplete.bash("coppice", spec.root().commandLine()));
        spec.commandLine().getOut().flush();
        return 0;
    }
}
