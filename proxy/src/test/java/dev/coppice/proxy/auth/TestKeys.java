package dev.coppice.proxy.auth;

/** Keys that belong to no password. */
public final class TestKeys {
    private static final int KEY_BYTES = 32;

    private TestKeys() {}

    public static ScramKeys zeros() {
        return new ScramKeys(new byte[KEY_BYTES], new byte[KEY_BYTES]);
    }
}
