package dev.coppice.proxy.relay;

/** Who ended a relayed session. */
public enum SessionEnd {
    CLIENT("client"),
    COMPUTE("compute"),
    SHUTDOWN("shutdown");

    private final String label;

    SessionEnd(String label) {
        this.label = label;
    }

    /** For log lines. */
    public String label() {
        return label;
    }
}
