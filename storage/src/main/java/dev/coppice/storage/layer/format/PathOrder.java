package dev.coppice.storage.layer.format;

import dev.coppice.storage.layer.LayerWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;

/** The order of paths in a layer: that of their UTF-8 bytes, unsigned, which is the order of code points. */
public final class PathOrder {
    /** For sorting what goes into a {@link LayerWriter}. */
    public static final Comparator<String> COMPARATOR = PathOrder::compare;

    private PathOrder() {}

    /** Negative, zero or positive, as a comparator. */
    public static int compare(String a, String b) {
        int length = Math.min(a.length(), b.length());
        for (int i = 0; i < length; i++) {
            char x = a.charAt(i);
            char y = b.charAt(i);
            if (x != y) {
                // A surrogate stands for a code point beyond all other chars.
                boolean surrogates = Character.isSurrogate(x) != Character.isSurrogate(y);
                return surrogates ? (Character.isSurrogate(x) ? 1 : -1) : Character.compare(x, y);
            }
        }
        return Integer.compare(a.length(), b.length());
    }

    public static byte[] bytes(String path) {
        return path.getBytes(StandardCharsets.UTF_8);
    }

    public static int compare(byte[] a, byte[] b) {
        return Arrays.compareUnsigned(a, b);
    }
}
