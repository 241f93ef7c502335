package dev.coppice.control.api.account;

import dev.coppice.compute.sandbox.Isolation;
import dev.coppice.control.api.server.Reply;
import dev.coppice.control.api.server.Routes;
import java.util.List;

/** What an administrator asks about the server itself. */
public final class ServerRoutes {
    private static final String PATH = "/server";

    private final Isolation isolation;

    public ServerRoutes(Isolation isolation) {
        this.isolation = isolation;
    }

    /**
     * What the server is.
     *
     * @param isolation how computes are kept from each other: {@code full}, {@code landlock} or {@code none}
     * @param isolationMissing what would make it better
     */
    record Server(String isolation, List<String> isolationMissing) {}

    public void register(Routes routes) {
        routes.openToProjectKeys(PATH);
        Server server = new Server(isolation.name(), isolation.missing());
        routes.get(PATH, _ -> Reply.ok(server));
    }
}
