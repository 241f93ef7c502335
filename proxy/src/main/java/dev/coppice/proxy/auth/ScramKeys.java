package dev.coppice.proxy.auth;

/**
 * What is needed to log in as somebody without his password: the ClientKey his proof gave away, and the ServerKey to
 * know the server by. Lives from the client's login to the compute's, and is never printed.
 */
public final class ScramKeys {
    private final byte[] clientKey;
    private final byte[] serverKey;

    ScramKeys(byte[] clientKey, byte[] serverKey) {
        this.clientKey = clientKey.clone();
        this.serverKey = serverKey.clone();
    }

    byte[] clientKey() {
        return clientKey.clone();
    }

    byte[] serverKey() {
        return serverKey.clone();
    }

    @Override
    public String toString() {
        return "ScramKeys[]";
    }
}
