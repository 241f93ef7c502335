package dev.coppice.cli.output;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** Finds what somebody may have meant. */
public final class Close {
    private static final int SHOWN = 3;

    private Close() {}

    /** The names that differ from {@code word} in few letters, or begin with it; the closest first. */
    public static List<String> to(String word, Collection<String> names) {
        String lower = word.toLowerCase(Locale.ROOT);
        int allowed = Math.max(1, lower.length() / 3);
        return names.stream()
                .filter(name -> isClose(lower, name.toLowerCase(Locale.ROOT), allowed))
                .sorted(Comparator.comparingInt(name -> distance(lower, name.toLowerCase(Locale.ROOT))))
                .limit(SHOWN)
                .toList();
    }

    private static boolean isClose(String word, String name, int allowed) {
        return distance(word, name) <= allowed || (word.length() > 2 && name.startsWith(word));
    }

    /** Letters to add, take away or change (Levenshtein). */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int changed = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(changed, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }
}
