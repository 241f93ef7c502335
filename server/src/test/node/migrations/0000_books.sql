CREATE SCHEMA "drizzle_app";
--> statement-breakpoint
CREATE TABLE "drizzle_app"."authors" (
	"id" serial PRIMARY KEY NOT NULL,
	"name" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "drizzle_app"."books" (
	"id" serial PRIMARY KEY NOT NULL,
	"title" text NOT NULL,
	"author" integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE "drizzle_app"."books" ADD CONSTRAINT "books_author_authors_id_fk" FOREIGN KEY ("author") REFERENCES "drizzle_app"."authors"("id");
