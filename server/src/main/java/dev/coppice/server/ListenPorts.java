package dev.coppice.server;

import dev.coppice.common.config.ListenAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;

/** Finds out whether an address can be listened on, before anything is started that would have to be stopped again. */
final class ListenPorts {
    private ListenPorts() {}

    /**
     * Tries {@code address} for a moment; for port 0, the answer has a port that is free.
     *
     * @param key of the configuration, for the message
     * @throws ServerStartException saying what to do when it cannot be listened on
     */
    static ListenAddress requireFree(String key, ListenAddress address) {
        try (ServerSocket socket = new ServerSocket()) {
            // As the real listeners do: connections of an earlier server that are still closing are no hindrance.
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(address.host(), address.port()));
            return new ListenAddress(address.host(), socket.getLocalPort());
        } catch (IOException | IllegalArgumentException e) {
            throw new ServerStartException("cannot listen on " + address + " (" + e.getMessage()
                    + "): stop what uses it, or set " + key + " in the configuration to another address");
        }
    }
}
