package dev.coppice.control.api.view;

/** The one user, organization and region that there are, as Neon's clients want to see them. */
public final class Account {
    /** Has the form of a UUID because who made an API key must have. */
    public static final String USER = "c0991ce0-0000-4000-8000-000000000000";

    public static final String USER_NAME = "Coppice";
    public static final String ORGANIZATION = "org-coppice-00000000";
    public static final String REGION = "local";
    public static final String PLAN = "self-hosted";

    private Account() {}
}
