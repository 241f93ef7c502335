package dev.coppice.proxy.route;

/** One thing the client said about where it wants to go, and how it said it. */
record RouteHint(Source source, String name) {

    enum Source {
        OPTIONS("options"),
        SERVER_NAME("the host name"),
        DATABASE("the database name"),
        PASSWORD("the password");

        private final String description;

        Source(String description) {
            this.description = description;
        }
    }

    private static final String POOLER_SUFFIX = "-pooler";

    /** Whether it is an endpoint id with {@code -pooler} behind it. */
    boolean pooled() {
        return name.startsWith(RouteRequest.ENDPOINT_PREFIX) && name.endsWith(POOLER_SUFFIX);
    }

    /** Whether it can only be an endpoint id. */
    boolean namesEndpoint() {
        return name.startsWith(RouteRequest.ENDPOINT_PREFIX);
    }

    /** The name without {@code -pooler}. */
    String endpointName() {
        return pooled() ? name.substring(0, name.length() - POOLER_SUFFIX.length()) : name;
    }

    @Override
    public String toString() {
        return "\"" + name + "\" in " + source.description;
    }
}
