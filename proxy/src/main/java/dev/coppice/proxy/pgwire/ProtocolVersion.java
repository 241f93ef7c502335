package dev.coppice.proxy.pgwire;

/**
 * A wire protocol version as startup packets carry it: major in the upper, minor in the lower 16 bits.
 */
public record ProtocolVersion(int major, int minor) {
    /** What computes are spoken to in, and what most drivers speak. */
    public static final ProtocolVersion V3_0 = new ProtocolVersion(3, 0);
    /** Since Postgres 18: cancel keys of any length up to 256 bytes. The newest we speak. */
    public static final ProtocolVersion V3_2 = new ProtocolVersion(3, 2);

    static ProtocolVersion fromWire(int code) {
        return new ProtocolVersion(code >>> 16, code & 0xFFFF);
    }

    int toWire() {
        return major << 16 | minor;
    }

    /** Whether cancel keys may be longer than four bytes. */
    public boolean hasLongCancelKeys() {
        return major == 3 && minor >= V3_2.minor;
    }

    /** This version, or the newest one we speak if that is older. */
    public ProtocolVersion negotiated() {
        return minor > V3_2.minor ? V3_2 : this;
    }

    @Override
    public String toString() {
        return major + "." + minor;
    }
}
