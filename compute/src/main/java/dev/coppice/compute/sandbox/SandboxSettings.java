package dev.coppice.compute.sandbox;

/**
 * What an administrator wants of the sandbox.
 *
 * @param network of ordinary computes
 * @param maskedNetwork of computes that read through a boundary: a program in one must not carry anything out
 */
public record SandboxSettings(Mode mode, Network network, Network maskedNetwork) {
    /** What happens where the kernel offers less than a whole sandbox. */
    public enum Mode {
        /** No compute starts. */
        REQUIRED,
        /** They start with what there is. */
        PREFERRED,
        /** They start without any, wherever. */
        OFF
    }

    /** Whom programs in a compute may talk to, beyond the sockets of the compute itself. */
    public enum Network {
        NONE,
        ALL
    }

    /** Whole or nothing for root, who has tenants to keep apart; for others what there is. */
    public static Mode standardMode() {
        return Root.isSelf() ? Mode.REQUIRED : Mode.PREFERRED;
    }
}
