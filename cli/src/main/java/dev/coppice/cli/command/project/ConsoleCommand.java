package dev.coppice.cli.command.project;

import dev.coppice.cli.command.RootOptions;
import java.net.URI;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

/** It opens no browser itself: in the arguments of a process the link would be for every user of the machine to read. */
@Command(
        name = "console",
        description = {
            "Print a link that signs a browser in at the console: once, within a minute.",
            "Whoever opens it may do there what the API key may that this command uses."
        },
        footerHeading = "%nExamples:%n",
        footer = {"  coppice console", "  coppice console --api-key \"$KEY\"   # a link with the rights of that key"})
public final class ConsoleCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() {
        return RootOptions.withSession(spec, session -> {
            JsonNode link = session.api().post("/console/links", null);
            spec.commandLine()
                    .getOut()
                    .println(url(session.address().base(), link.path("path").asString("")));
            return 0;
        });
    }

    /** The console is beside the API, on the same server. */
    static String url(URI api, String path) {
        return api.getScheme() + "://" + api.getRawAuthority() + path;
    }
}
