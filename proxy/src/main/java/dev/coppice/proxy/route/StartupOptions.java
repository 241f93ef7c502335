package dev.coppice.proxy.route;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The {@code options} startup parameter, taken apart as Postgres does (pg_split_opts, src/backend/utils/init/postinit.c:
 * words separated by white space, a backslash takes the next character literally), with the words that are ours -
 * {@code endpoint=<id>}, and {@code project=<id>} as old Neon clients say, also behind {@code -c} or {@code --} -
 * separated from those for the compute. So are Neon's own, {@code neon_<name>:<value>}.
 *
 * @param endpoints the ids named, in order, may be empty strings
 * @param neon the values of Neon's options by name, those given twice joined in order
 * @param forCompute the other words as they were written, joined by single spaces
 */
record StartupOptions(List<String> endpoints, Map<String, List<String>> neon, String forCompute) {
    private static final String SET_FLAG = "-c";
    private static final String LONG_FLAG = "--";
    private static final Pattern NEON_OPTION = Pattern.compile("neon_(\\w+):(.*)", Pattern.DOTALL);
    private static final List<String> OUR_NAMES = List.of("endpoint=", "project=");

    private record Word(String written, String meant) {}

    static StartupOptions parse(String options) {
        List<String> endpoints = new ArrayList<>();
        Map<String, List<String>> neon = new LinkedHashMap<>();
        List<String> rest = new ArrayList<>();
        List<Word> words = split(options);
        for (int i = 0; i < words.size(); i++) {
            Word word = words.get(i);
            boolean flagAlone = word.meant.equals(SET_FLAG) && i + 1 < words.size();
            String setting = flagAlone ? words.get(i + 1).meant : withoutFlag(word.meant);
            String name =
                    OUR_NAMES.stream().filter(setting::startsWith).findFirst().orElse("");
            Matcher neonOption = NEON_OPTION.matcher(setting);
            if (neonOption.matches()) {
                neon.computeIfAbsent(neonOption.group(1), _ -> new ArrayList<>())
                        .add(neonOption.group(2));
            } else if (!name.isEmpty()) {
                endpoints.add(setting.substring(name.length()));
            } else {
                rest.add(word.written);
                if (flagAlone) {
                    rest.add(words.get(i + 1).written);
                }
            }
            if (flagAlone) {
                i++;
            }
        }
        return new StartupOptions(List.copyOf(endpoints), neon, String.join(" ", rest));
    }

    private static String withoutFlag(String word) {
        return word.startsWith(SET_FLAG) || word.startsWith(LONG_FLAG) ? word.substring(2) : word;
    }

    private static List<Word> split(String options) {
        List<Word> words = new ArrayList<>();
        int position = 0;
        while (position < options.length()) {
            if (isSpace(options.charAt(position))) {
                position++;
                continue;
            }
            int start = position;
            StringBuilder meant = new StringBuilder();
            while (position < options.length() && !isSpace(options.charAt(position))) {
                if (options.charAt(position) == '\\' && position + 1 < options.length()) {
                    position++;
                }
                meant.append(options.charAt(position++));
            }
            words.add(new Word(options.substring(start, position), meant.toString()));
        }
        return words;
    }

    private static boolean isSpace(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r');
    }
}
