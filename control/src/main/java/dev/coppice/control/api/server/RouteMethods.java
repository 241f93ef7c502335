package dev.coppice.control.api.server;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;

/** Which methods a path of the API has. Routes are added at the start; looked up by any thread. */
public final class RouteMethods {
    private static final char PARAMETER = '{';

    private record Template(String method, List<String> parts) {
        /** A parameter stands for any one part. */
        boolean fits(List<String> path) {
            if (path.size() != parts.size()) {
                return false;
            }
            for (int i = 0; i < parts.size(); i++) {
                String part = parts.get(i);
                boolean parameter = !part.isEmpty() && part.charAt(0) == PARAMETER;
                if (!(parameter ? !path.get(i).isEmpty() : part.equals(path.get(i)))) {
                    return false;
                }
            }
            return true;
        }
    }

    private final List<Template> templates = new CopyOnWriteArrayList<>();

    /** @param path whole, with its parameters in braces */
    void add(String method, String path) {
        templates.add(new Template(method, parts(path)));
    }

    /** Empty when there is no such path. */
    public Set<String> of(String path) {
        List<String> parts = parts(path.endsWith("/") ? path.substring(0, path.length() - 1) : path);
        Set<String> methods = new TreeSet<>();
        for (Template template : templates) {
            if (template.fits(parts)) {
                methods.add(template.method());
            }
        }
        return methods;
    }

    /** By hand: a split by a pattern drops empty parts at the end. */
    private static List<String> parts(String path) {
        List<String> parts = new ArrayList<>();
        int from = 0;
        for (int slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', from)) {
            parts.add(path.substring(from, slash));
            from = slash + 1;
        }
        parts.add(path.substring(from));
        return parts;
    }
}
