package dev.coppice.control.id;

import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;

/**
 * Makes identifiers. 32 x 32 words and eight digits: about 10^11 possibilities, so a collision among a million is rare
 * and is caught by the catalog's primary keys.
 */
public final class Ids {
    private static final int DIGITS_BOUND = 100_000_000;
    private static final Pattern BRANCH = Pattern.compile("br-[a-z0-9]+-[a-z0-9]+-[a-z0-9]+");
    private static final Pattern ENDPOINT = Pattern.compile("ep-[a-z0-9]+-[a-z0-9]+-[a-z0-9]+");

    private static final List<String> FIRST = List.of(
            "amber", "autumn", "bold", "brisk", "broad", "calm", "clear", "cold", "cool", "crisp", "damp", "dawn",
            "dry", "early", "fair", "fresh", "gentle", "green", "high", "late", "long", "mild", "misty", "new", "old",
            "quiet", "still", "sunny", "tall", "warm", "wild", "young");

    private static final List<String> SECOND = List.of(
            "alder", "ash", "aspen", "bark", "beech", "birch", "bough", "brook", "cedar", "elder", "elm", "fern",
            "field", "glade", "grove", "hazel", "heath", "holly", "larch", "leaf", "lime", "maple", "meadow", "moss",
            "oak", "pine", "reed", "root", "rowan", "shoot", "stump", "willow");

    private final RandomGenerator random;

    /** Draws from {@code random}, which must be safe for use by many threads. */
    public Ids(RandomGenerator random) {
        this.random = random;
    }

    public String project() {
        return words();
    }

    public String branch() {
        return "br-" + words();
    }

    public String endpoint() {
        return "ep-" + words();
    }

    public String snapshot() {
        return "snap-" + words();
    }

    /** A random UUID, as Neon's operation ids are. */
    public String operation() {
        return new UUID(random.nextLong(), random.nextLong()).toString();
    }

    /** Whether {@code text} has the shape of a branch id; it need not exist. */
    public static boolean looksLikeBranch(String text) {
        return BRANCH.matcher(text).matches();
    }

    /** Whether {@code text} has the shape of an endpoint id; it need not exist. */
    public static boolean looksLikeEndpoint(String text) {
        return ENDPOINT.matcher(text).matches();
    }

    private String words() {
        return FIRST.get(random.nextInt(FIRST.size()))
                + '-'
                + SECOND.get(random.nextInt(SECOND.size()))
                + '-'
                + String.format(Locale.ROOT, "%08d", random.nextInt(DIGITS_BOUND));
    }
}
