package dev.coppice.cli.command.project;

import dev.coppice.cli.command.RootOptions;
import dev.coppice.cli.output.Output;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
        name = "me",
        description = "Show who the API key belongs to.",
        footerHeading = "%nExamples:%n",
        footer = {"  coppice me -o json"})
public final class MeCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() {
        return RootOptions.withSession(spec, session -> {
            session.output()
                    .object(
                            session.api().get("/users/me"),
                            List.of(
                                    Output.Column.of("LOGIN", "login"),
                                    Output.Column.of("NAME", "name"),
                                    Output.Column.of("ID", "id"),
                                    Output.Column.of("PLAN", "plan")));
            return 0;
        });
    }
}
