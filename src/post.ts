/** Entry of the post step. */
import "./action.ts";
