package dev.coppice.cli.command.project;

import static dev.coppice.cli.command.RootOptions.withSession;

import dev.coppice.cli.api.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

@Command(
        name = "ip-allow",
        description = "From where clients may connect to a project's branches; an empty list means from everywhere.",
        synopsisSubcommandLabel = "COMMAND",
        footerHeading = "%nExamples:%n",
        footer = {
            "  coppice ip-allow add 10.0.0.0/8 192.0.2.7",
            "  coppice ip-allow add 10.0.0.0/8 --protected-only true",
            "  coppice ip-allow reset"
        })
public final class IpAllowCommand {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Command(name = "list", description = "Show the list.")
    int list() {
        return withSession(spec, session -> {
            show(session, session.api().get(session.projectPath()));
            return 0;
        });
    }

    @Command(
            name = "add",
            description = "Add addresses (10.0.0.1), ranges (10.0.0.1-10.0.0.9) and blocks (10.0.0.0/8).")
    int add(
            @Parameters(arity = "0..*", paramLabel = "ADDRESS", description = "What to add.") List<String> addresses,
            @Option(
                            names = "--protected-only",
                            paramLabel = "true|false",
                            description = "Whether the list holds for protected branches only.")
                    @Nullable
                    Boolean protectedOnly) {
        List<String> added = addresses == null ? List.of() : addresses;
        return change(
                ips -> added.stream().filter(address -> !ips.contains(address)).forEach(ips::add), protectedOnly);
    }

    @Command(name = "remove", description = "Take addresses away.")
    int remove(@Parameters(arity = "1..*", paramLabel = "ADDRESS", description = "As listed.") List<String> addresses) {
        return change(ips -> ips.removeAll(addresses), null);
    }

    @Command(name = "reset", description = "Let clients connect from everywhere.")
    int reset() {
        return change(List::clear, false);
    }

    private int change(Consumer<List<String>> change, @Nullable Boolean protectedOnly) {
        return withSession(spec, session -> {
            List<String> ips = new ArrayList<>();
            allowed(session.api().get(session.projectPath()))
                    .path("ips")
                    .forEach(address -> ips.add(address.asString("")));
            change.accept(ips);
            ObjectNode body = JsonMapper.shared().createObjectNode();
            ObjectNode wanted = body.withObject("/project/settings/allowed_ips");
            ips.forEach(wanted.putArray("ips")::add);
            if (protectedOnly != null) {
                wanted.put("protected_branches_only", protectedOnly);
            }
            show(session, session.api().patch(session.projectPath(), body));
            return 0;
        });
    }

    private static JsonNode allowed(JsonNode answer) {
        return answer.path("project").path("settings").path("allowed_ips");
    }

    private static void show(Session session, JsonNode answer) {
        JsonNode allowed = allowed(answer);
        if (!session.output().isTable()) {
            session.output().tree(allowed);
            return;
        }
        if (allowed.path("ips").isEmpty()) {
            session.output().line("Clients may connect from everywhere.");
            return;
        }
        boolean protectedOnly = allowed.path("protected_branches_only").asBoolean(false);
        session.output().line("Clients may connect" + (protectedOnly ? " to protected branches" : "") + " only from:");
        allowed.path("ips").forEach(address -> session.output().line(address.asString("")));
    }
}
