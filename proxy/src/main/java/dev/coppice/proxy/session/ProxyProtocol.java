package dev.coppice.proxy.session;

import dev.coppice.proxy.limit.AddressRanges;

/**
 * Whether connections begin with a PROXY protocol header, version 1 or 2, that says from where a load balancer got them.
 *
 * @param trusted who may say so; not read when the mode is off
 */
public record ProxyProtocol(Mode mode, AddressRanges trusted) {
    /** Nobody sends one. */
    public static final ProxyProtocol OFF = new ProxyProtocol(Mode.OFF, AddressRanges.ALL);

    /** What is expected. */
    public enum Mode {
        OFF,
        /** From a trusted address there may be one; the others connect directly. */
        OPTIONAL,
        /** Every connection comes from a trusted address, with one. */
        REQUIRED
    }
}
