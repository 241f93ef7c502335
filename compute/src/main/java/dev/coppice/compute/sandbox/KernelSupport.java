package dev.coppice.compute.sandbox;

import dev.coppice.compute.ComputeException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What this kernel, and the container around this process, offer for sandboxes.
 *
 * @param landlock ABI of Landlock, 0 = none
 * @param filter whether system calls can be filtered
 * @param namespaces that a process of this user can make, by the names of the launcher; {@code user} is one that others need
 */
record KernelSupport(int landlock, boolean filter, Set<String> namespaces) {
    private static final String NAMESPACE = "namespace-";

    KernelSupport {
        namespaces = Set.copyOf(namespaces);
    }

    /** Asks the launcher, which tries. */
    static KernelSupport probe(Path launcher) {
        return parse(Launches.run(List.of(launcher.toString(), "probe")));
    }

    /** Lines of a name and a number. */
    static KernelSupport parse(String output) {
        Map<String, Integer> values = new HashMap<>();
        for (String line : output.lines().toList()) {
            String[] words = line.split(" ", -1);
            if (words.length != 2 || !words[1].matches("[0-9]{1,4}")) {
                throw new ComputeException("the launcher of computes answers \"" + line + "\" when it is asked what the"
                        + " kernel offers");
            }
            values.put(words[0], Integer.parseInt(words[1]));
        }
        return new KernelSupport(
                values.getOrDefault("landlock", 0),
                values.getOrDefault("filter", 0) == 1,
                values.entrySet().stream()
                        .filter(entry -> entry.getKey().startsWith(NAMESPACE) && entry.getValue() == 1)
                        .map(entry -> entry.getKey().substring(NAMESPACE.length()))
                        .collect(Collectors.toSet()));
    }
}
