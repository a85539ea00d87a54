/** The form of `conversations.json` in ChatGPT's data export, as far as the reference extension and the generator
 * need it. */
export interface Conversation {
  id: string;
  conversation_id: string;
  title: string | null;
  create_time: number;
  update_time: number;
  /** A tree: the root has no parent, branches come from edited questions and regenerated answers. */
  mapping: Record<string, Node>;
  /** The leaf that the person last saw; the path from the root to it is the conversation as shown. */
  current_node: string;
  moderation_results: never[];
  plugin_ids: string[] | null;
  conversation_template_id: string | null;
  gizmo_id: string | null;
  is_archived: boolean;
  safe_urls: string[];
  default_model_slug: string | null;
}

export interface Node {
  id: string;
  message: Message | null;
  parent: string | null;
  children: string[];
}

export interface Message {
  id: string;
  author: { role: "system" | "user" | "assistant" | "tool"; name: string | null; metadata: object };
  create_time: number | null;
  update_time: number | null;
  content: Content;
  status: "finished_successfully" | "in_progress";
  end_turn: boolean | null;
  weight: number;
  metadata: Record<string, unknown>;
  recipient: string;
  channel: string | null;
}

export type Content =
  | { content_type: "text"; parts: string[] }
  | { content_type: "multimodal_text"; parts: (string | ImagePart)[] }
  | { content_type: "code"; language: string; text: string }
  | { content_type: "execution_output"; text: string }
  | { content_type: "tether_quote"; url: string; domain: string; text: string; title: string };

export interface ImagePart {
  content_type: "image_asset_pointer";
  asset_pointer: string;
  size_bytes: number;
  width: number;
  height: number;
  fovea: number | null;
  metadata: Record<string, unknown> | null;
}

/** The messages on the way from the root to the current node, in order. */
export function shownPath(conversation: Conversation): Message[] {
  const path: Message[] = [];
  for (let id: string | null = conversation.current_node; id !== null;) {
    const node: Node | undefined = conversation.mapping[id];
    if (!node) throw new Error(`expected node ${id} in the mapping of ${conversation.id}, found none`);
    if (node.message) path.unshift(node.message);
    id = node.parent;
  }
  return path;
}
