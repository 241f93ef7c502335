package dev.coppice.proxy.limit;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.HexFormat;

/** What limits count as one address: whoever has one IPv6 address has 2^64 of them. */
final class ClientNetwork {
    private static final int IPV6_NETWORK_BYTES = 8;

    private ClientNetwork() {}

    /** The same text for all addresses of an IPv6 /64, and for each IPv4 address one. */
    static String of(InetAddress address) {
        byte[] bytes = address.getAddress();
        return HexFormat.of()
                .formatHex(address instanceof Inet6Address ? Arrays.copyOf(bytes, IPV6_NETWORK_BYTES) : bytes);
    }
}
