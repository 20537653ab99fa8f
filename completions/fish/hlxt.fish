# hlxt in fish: `hlxt help --complete` knows the words.
function __hlxt_words
    set -l before (commandline -opc)
    set -l word (commandline -ct)
    set -l head (string match -r '^.*=' -- $word)
    for line in ($before[1] help --complete $before[2..-1] $word 2>/dev/null)
        switch $line
            case :files
                string replace -r '^' -- "$head" (__fish_complete_path (string replace -r '^.*=' '' -- $word))
            case :folders
                __fish_complete_directories $word
            case '*'
                echo $line
        end
    end
end
complete -c hlxt -f -a '(__hlxt_words)'
