package dev.coppice.common.http;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The names by which a server may be called ({@code Host}). A web page can make its visitor's browser call this machine under the page's
 * own name (DNS rebinding); by an address it cannot, so every address is right.
 */
public final class HostNames {
    private static final String LOCALHOST = "localhost";
    private static final Pattern IP_V4 = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");
    private static final HostNames ANY = new HostNames(Set.of(), true);

    private final Set<String> names;
    private final boolean any;

    private HostNames(Set<String> names, boolean any) {
        this.names = names;
        this.any = any;
    }

    /** Whatever it is called. */
    public static HostNames any() {
        return ANY;
    }

    /**
     * Those of a server that listens where {@code loopback} says: only there a name can be wrong that nobody listed, since others
     * know the server by names that it cannot know.
     *
     * @param listed what the configuration names; when it names any, they count beyond loopback too
     * @param advertised further names of this server
     */
    public static HostNames of(boolean loopback, Collection<String> listed, String... advertised) {
        if (!loopback && listed.isEmpty()) {
            return ANY;
        }
        return new HostNames(
                Stream.concat(listed.stream(), Stream.of(advertised))
                        .map(HostNames::canonical)
                        .collect(Collectors.toUnmodifiableSet()),
                false);
    }

    /** @param host the header's value, with or without a port */
    boolean allow(String host) {
        if (any) {
            return true;
        }
        String name = canonical(withoutPort(host));
        return name.equals(LOCALHOST)
                || name.endsWith("." + LOCALHOST)
                || name.startsWith("[")
                || IP_V4.matcher(name).matches()
                || names.contains(name);
    }

    private static String withoutPort(String host) {
        int colon = host.lastIndexOf(':');
        return colon > host.lastIndexOf(']') ? host.substring(0, colon) : host;
    }

    private static String canonical(String name) {
        String lower = name.strip().toLowerCase(Locale.ROOT);
        return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
    }

    /** For messages. */
    List<String> listed() {
        return names.stream().sorted().toList();
    }
}
