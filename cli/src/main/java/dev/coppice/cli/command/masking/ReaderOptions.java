package dev.coppice.cli.command.masking;

import dev.coppice.cli.api.Session;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import tools.jackson.databind.node.ObjectNode;

/** {@code --role}: who looks at originals. */
final class ReaderOptions {
    @Option(
            names = "--role",
            paramLabel = "ROLE",
            description = "The role to read as; its password, when the server does not keep it, is taken from"
                    + " COPPICE_ROLE_PASSWORD. Default: the database's owner.")
    private @Nullable String role;

    /** Adds them to a request. */
    ObjectNode in(Session session, ObjectNode body) {
        if (role != null) {
            body.put("role_name", role);
        }
        String password = session.environment().get("COPPICE_ROLE_PASSWORD");
        if (password != null) {
            body.put("password", password);
        }
        return body;
    }
}
