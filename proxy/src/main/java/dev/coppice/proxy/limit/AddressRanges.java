package dev.coppice.proxy.limit;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Addresses that may connect: single ones, ranges {@code a-b} and blocks {@code a/bits}, IPv4 or IPv6. None means all. */
public final class AddressRanges {
    /** Everybody. */
    public static final AddressRanges ALL = new AddressRanges(List.of());

    private static final class Range {
        private final byte[] first;
        private final byte[] last;

        Range(byte[] first, byte[] last) {
            this.first = first;
            this.last = last;
        }

        boolean contains(byte[] address) {
            return address.length == first.length
                    && Arrays.compareUnsigned(first, address) <= 0
                    && Arrays.compareUnsigned(address, last) <= 0;
        }
    }

    private final List<Range> ranges;

    private AddressRanges(List<Range> ranges) {
        this.ranges = ranges;
    }

    /** @throws IllegalArgumentException naming the text that is none of the three */
    public static AddressRanges parse(List<String> texts) {
        List<Range> ranges = new ArrayList<>();
        for (String text : texts) {
            ranges.add(range(text.strip()));
        }
        return new AddressRanges(List.copyOf(ranges));
    }

    private static Range range(String text) {
        int slash = text.indexOf('/');
        int dash = text.indexOf('-');
        if (slash > 0) {
            return block(text, address(text, text.substring(0, slash)), text.substring(slash + 1));
        }
        byte[] first = address(text, dash > 0 ? text.substring(0, dash) : text);
        byte[] last = dash > 0 ? address(text, text.substring(dash + 1)) : first;
        if (first.length != last.length || Arrays.compareUnsigned(first, last) > 0) {
            throw wrong(text);
        }
        return new Range(first, last);
    }

    private static Range block(String text, byte[] address, String bitsText) {
        int bits;
        try {
            bits = Integer.parseInt(bitsText.strip());
        } catch (NumberFormatException _) {
            throw wrong(text);
        }
        if (bits < 0 || bits > address.length * Byte.SIZE) {
            throw wrong(text);
        }
        byte[] first = address.clone();
        byte[] last = address.clone();
        for (int bit = bits; bit < address.length * Byte.SIZE; bit++) {
            int mask = 0x80 >>> (bit % Byte.SIZE);
            first[bit / Byte.SIZE] &= (byte) ~mask;
            last[bit / Byte.SIZE] |= (byte) mask;
        }
        return new Range(first, last);
    }

    private static byte[] address(String whole, String text) {
        String stripped = text.strip();
        // A name would be looked up in the DNS; an address consists of these.
        if (!stripped.matches("[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*")) {
            throw wrong(whole);
        }
        try {
            return InetAddress.getByName(stripped).getAddress();
        } catch (UnknownHostException _) {
            throw wrong(whole);
        }
    }

    private static IllegalArgumentException wrong(String text) {
        return new IllegalArgumentException(
                "\"" + text + "\" is not an address, a range like 10.0.0.1-10.0.0.9 or a block like 10.0.0.0/8");
    }

    /** Whether this address may connect. */
    public boolean allows(InetAddress address) {
        if (ranges.isEmpty()) {
            return true;
        }
        byte[] bytes = plain(address);
        return ranges.stream().anyMatch(range -> range.contains(bytes));
    }

    /** An IPv4 address that came in an IPv6 coat, without it. */
    private static byte[] plain(InetAddress address) {
        byte[] bytes = address.getAddress();
        boolean mapped = address instanceof Inet6Address
                && Arrays.equals(Arrays.copyOf(bytes, 12), new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1});
        return mapped ? Arrays.copyOfRange(bytes, 12, 16) : bytes;
    }
}
